//! Endpoints: `/endpoint/v1/endpoints/:endpointId` and the operations beside it.

use crate::{models::{Deleted}, model::{model}, operation_macro::{operation, tested}};

model! {
    /// An endpoint.
    pub struct Endpoint {
        /// The endpoint ids.
        endpoint_ids: Vec<String>,
    }
}

operation! {
    /// Deletes a specified endpoint.
    pub struct DeleteEndpoint = DELETE "/endpoint/v1/endpoints/:endpointId" (tenant)
        -> Deleted {
        /// The endpoint id.
        endpoint_id!: String,
    }
}

operation! {
    /// Deletes a list of endpoints.
    pub struct DeleteEndpoints = POST "/endpoint/v1/endpoints/delete" (tenant)
        -> Endpoint {
        /// The endpoint ids.
        endpoint_ids: [String],
    }
}

tested! {
    DeleteEndpoint
    DeleteEndpoints
}
