//! The resolution of detections: `detectionUpdateResolutionInfo`.

use crate::{
    Error, ErrorKind,
    fusion::{
        detections::{MAX_DETECTIONS, detection_fields::ResolutionStatus},
        graphql_macro::{documents, graphql},
    },
    models::macros::{model, open_enum},
    operation::checks::check_count,
};

graphql! {
    /// Sets the resolution of detections.
    mutation UpdateDetectionResolution = detectionUpdateResolutionInfo(in: UpdateResolutionRequestInput)
        in "snake_case" -> ResolutionUpdate {
        /// The ids of the detections.
        alert_ids!: [String],
        /// The status.
        resolution_status!: ResolutionStatus,
        /// The reason.
        reason: String,
    } ["reason resolution_status"] {
        fn check(&self) -> Result<(), Error> {
            check_count("alertIds", self.alert_ids.len(), 1..=MAX_DETECTIONS as usize)
        }

        fn check_response(update: &ResolutionUpdate) -> Result<(), Error> {
            if update.resolution_status != Some(OperationStatus::Failed) {
                return Ok(());
            }
            let reason = update.reason.as_deref().filter(|reason| !reason.is_empty());
            let error = Error::new(ErrorKind::Graphql).with_message(reason.unwrap_or("no reason given"));
            Err(error.with_graphql(Some("FAILED"), None))
        }
    }
}

model! {
    /// The result of setting a resolution.
    pub struct ResolutionUpdate in "snake_case" {
        /// The reason of a failure.
        reason: String,
        /// The status of the operation.
        resolution_status: OperationStatus,
    }
}

open_enum! {
    /// The status of an operation.
    pub enum OperationStatus {
        /// Done.
        Success = "SUCCESS",
        /// Failed.
        Failed = "FAILED",
    }
}

documents! { UpdateDetectionResolution }
