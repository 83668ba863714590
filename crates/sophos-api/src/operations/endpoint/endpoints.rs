//! Deletion of endpoints: `/endpoint/v1/endpoints`.

use crate::{
    model::model,
    models::Deleted,
    operation_macro::{listed, operation},
};

operation! {
    /// Deletes an endpoint from Sophos Central.
    pub struct DeleteEndpoint = DELETE "/endpoint/v1/endpoints/:endpointId" (tenant) -> Deleted {
        /// The endpoint's id.
        endpoint_id!: String,
    }
}

operation! {
    /// Deletes several endpoints from Sophos Central.
    pub struct DeleteEndpoints = POST "/endpoint/v1/endpoints/delete" (tenant) -> DeletedEndpoints {
        /// The ids of the endpoints.
        endpoint_ids!: [String],
    }
}

model! {
    /// The deleted endpoints.
    pub struct DeletedEndpoints {
        /// The ids of the deleted endpoints.
        endpoint_ids: Vec<String>,
    }
}

listed! {
    DeleteEndpoint
    DeleteEndpoints
}
