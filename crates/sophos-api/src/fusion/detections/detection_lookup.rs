//! Detections by id, host or entity: `detectionRetrieveById`, `detectionRetrieveByHost`,
//! `detectionRetrieveByEntity`.

use crate::{
    Error,
    fusion::{
        detections::{
            MAX_DETECTIONS,
            detection_page::{DetectionPage, detection_page_members},
        },
        graphql_macro::{documents, graphql},
    },
    operation::checks::check_count,
};

/// Declares the operations, which differ in the kind of their ids.
macro_rules! lookup {
    ($(#[$doc:meta])* $name:ident = $field:ident, $(#[$ids_doc:meta])* ids) => {
        graphql! {
            $(#[$doc])*
            query $name = $field(in: GetByIDRequestInput) in "snake_case" -> DetectionPage {
                $(#[$ids_doc])*
                ids!("iDs"): [String],
            } [detection_page_members!()] {
                fn check(&self) -> Result<(), Error> {
                    check_count("ids", self.ids.len(), 1..=MAX_DETECTIONS as usize)
                }

                fn check_response(page: &DetectionPage) -> Result<(), Error> {
                    page.check_status()
                }
            }
        }
    };
}

lookup! {
    /// Gets detections by their ids.
    GetDetections = detectionRetrieveById,
    /// The ids of the detections.
    ids
}

lookup! {
    /// Gets the detections of hosts.
    GetDetectionsByHost = detectionRetrieveByHost,
    /// The ids of the hosts.
    ids
}

lookup! {
    /// Gets the detections of entities.
    GetDetectionsByEntity = detectionRetrieveByEntity,
    /// The entities, each its type and value, such as `ipAddress:10.0.0.1`.
    ids
}

documents! { GetDetections GetDetectionsByHost GetDetectionsByEntity }
