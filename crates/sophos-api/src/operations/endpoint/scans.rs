//! Scans: `/endpoint/v1/endpoints/:endpointId/scans` and the operations beside it.

use serde_json::Value;

use crate::{operation_macro::{operation, tested}};

operation! {
    /// Scans the endpoint.
    pub struct ScanEndpoint = POST "/endpoint/v1/endpoints/:endpointId/scans" (tenant)
        -> Value {
        /// The endpoint id.
        endpoint_id!: String,
    }
}

tested! {
    ScanEndpoint
}
