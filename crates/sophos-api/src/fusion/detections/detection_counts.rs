//! Counts of detections: `detectionCountByTenant`, `detectionAggregatesBySeverity`.

use crate::{
    fusion::{
        detections::detection_fields::{EpochTime, NodeId},
        graphql_macro::{documents, graphql},
    },
    models::macros::{model, open_enum},
};

graphql! {
    /// Counts the detections of the tenant and its children, by tenant.
    ///
    /// A partner sends it through its [`Client`](crate::Client): one request counts the
    /// detections of all its tenants.
    query CountDetectionsByTenant = detectionCountByTenant(in: AlertsCountByTenantInput) in "snake_case"
        -> DetectionCounts {
        /// The query, without an aggregation.
        ql_query!: String,
        /// The labels of services: only tenants with one of them.
        tenant_service_filters: [String],
    } ["items { count tenant { id } }"]
}

graphql! {
    /// Counts detections by severity, in groups.
    query AggregateDetectionsBySeverity = detectionAggregatesBySeverity(in: AggregateAlertsBySeverityInputInput)
        in "snake_case" -> DetectionAggregates {
        /// The member that makes a group.
        group_by: DetectionGrouping,
        /// The most groups.
        limit: u32,
        /// The start of the time range.
        earliest: EpochTime,
        /// The end of the time range.
        latest: EpochTime,
        /// The severities that are not counted.
        excluded_severities: [DetectionSeverity],
        /// Whether detections of custom rules are left out.
        filter_custom_alerts: bool,
        /// The labels of services: only detections of tenants with one of them.
        tenant_service_filters: [String],
    } ["aggregation { key count severities { info low medium high critical } }"]
}

model! {
    /// The numbers of detections, by tenant.
    pub struct DetectionCounts {
        /// One entry for each tenant.
        items: Vec<DetectionCount>,
    }
}

model! {
    /// The number of detections of a tenant.
    pub struct DetectionCount {
        /// The number.
        count: u64,
        /// The tenant.
        tenant: NodeId,
    }
}

model! {
    /// The numbers of detections by severity, in groups.
    pub struct DetectionAggregates {
        /// The groups.
        aggregation: Vec<DetectionAggregate>,
    }
}

model! {
    /// The numbers of detections of a group.
    pub struct DetectionAggregate {
        /// The value that the detections have in common.
        key: String,
        /// The number of detections.
        count: u64,
        /// The numbers by severity.
        severities: SeverityCounts,
    }
}

model! {
    /// Numbers of detections by severity.
    pub struct SeverityCounts {
        /// Informational.
        info: u64,
        /// Low.
        low: u64,
        /// Medium.
        medium: u64,
        /// High.
        high: u64,
        /// Critical.
        critical: u64,
    }
}

open_enum! {
    /// The member of a detection that makes a group.
    pub enum DetectionGrouping {
        /// The domain.
        Domain = "DOMAIN",
        /// The watch list.
        Watchlist = "WATCHLIST",
        /// The name of the host.
        Hostname = "HOSTNAME",
        /// The detector.
        Detector = "DETECTOR",
        /// The user.
        User = "USER",
    }
}

open_enum! {
    /// The severity of a detection, in words.
    pub enum DetectionSeverity {
        /// Informational.
        Info = "INFO",
        /// Low.
        Low = "LOW",
        /// Medium.
        Medium = "MEDIUM",
        /// High.
        High = "HIGH",
        /// Critical.
        Critical = "CRITICAL",
    }
}

documents! { CountDetectionsByTenant AggregateDetectionsBySeverity }
