//! Scans of endpoints: `/endpoint/v1/endpoints/{endpointId}/scans`.

use crate::{
    Timestamp,
    models::macros::model,
    operation::macros::{listed, operation},
};

operation! {
    /// Requests a scan of an endpoint.
    pub struct ScanEndpoint = POST "/endpoint/v1/endpoints/:endpointId/scans" (tenant) -> ScanRequest {
        /// The endpoint's id.
        endpoint_id!: String,
    }
}

model! {
    /// A requested scan. No operation returns its later state.
    pub struct ScanRequest {
        /// The id of the request.
        id as id: String,
        /// The state: `requested`.
        status: String,
        /// The time of the request.
        requested_at: Timestamp,
    }
}

listed! {
    ScanEndpoint
}
