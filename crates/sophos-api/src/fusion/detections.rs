//! Detections of tenants on Sophos Fusion.
//!
//! A query is in the query language of the service, with the source `alert`:
//! `from alert severity >= 0.6 EARLIEST=-1d`. The severity of a detection is a number from
//! 0 to 1. Its id has six parts, such as `alert://priv:event-filter:…`.
//!
//! ```
//! use sophos_api::{ApiClient, Error, TenantClient, Transport, fusion::detections::SearchDetections};
//!
//! async fn print_severe<T: Transport>(tenant: TenantClient<T>) -> Result<(), Error> {
//!     let mut pages = tenant.pages(SearchDetections::new("from alert severity >= 0.6 EARLIEST=-1d"));
//!     while let Some(page) = pages.next().await {
//!         for detection in page?.alerts.list {
//!             println!("{}", detection.json());
//!         }
//!     }
//!     Ok(())
//! }
//! ```

mod detection_counts;
mod detection_fields;
mod detection_lookup;
mod detection_page;
mod detection_resolution;
mod detection_search;

pub use detection_counts::{
    AggregateDetectionsBySeverity, CountDetectionsByTenant, DetectionAggregate, DetectionAggregates,
    DetectionCount, DetectionCounts, DetectionGrouping, DetectionSeverity, SeverityCounts,
};
pub use detection_fields::{
    CreationRule, Creator, Detection, DetectionEvents, DetectionMetadata, DetectionOrigin, DetectionPriority,
    Detector, Engine, Enrichment, Entities, Entity, EntityLabel, EntityRelationship, EpochTime, MitreAttack,
    NodeId, Perspective, ReferenceDetail, ResolutionStatus, Rule, WebReference,
};
pub use detection_lookup::{GetDetections, GetDetectionsByEntity, GetDetectionsByHost};
pub use detection_page::{DetectionList, DetectionPage, SearchStatus};
pub use detection_resolution::{OperationStatus, ResolutionUpdate, UpdateDetectionResolution};
pub use detection_search::{PollDetections, SearchDetections};

/// The most detections in a page.
pub const MAX_DETECTIONS: u32 = 10_000;

#[cfg(test)]
pub(crate) const DOCUMENTS: &[&[&str]] = &[
    detection_counts::DOCUMENTS,
    detection_lookup::DOCUMENTS,
    detection_resolution::DOCUMENTS,
    detection_search::DOCUMENTS,
];
