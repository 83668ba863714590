//! `GET /endpoint/v1/endpoints/{endpointId}`

use serde::Serialize;

use crate::{
    Operation, Route, WithRaw,
    models::{Endpoint, EndpointView},
    setters::with_setters,
};

with_setters! {
    /// Gets one endpoint.
    #[derive(Debug, Clone, PartialEq, Serialize)]
    #[serde(rename_all = "camelCase")]
    #[non_exhaustive]
    pub struct GetEndpoint {
        /// The endpoint's id.
        pub endpoint_id: String,
        /// The amount of detail; the summary by default.
        pub view: Option<EndpointView>,
        /// The fields to return; `id` is always one of them.
        pub fields: Vec<String>,
    }
}

impl GetEndpoint {
    /// Gets the summary of the endpoint of this id.
    pub fn new(endpoint_id: impl Into<String>) -> Self {
        Self { endpoint_id: endpoint_id.into(), view: None, fields: Vec::new() }
    }

    /// Gets the endpoint of this id in full.
    pub fn full(endpoint_id: impl Into<String>) -> Self {
        Self::new(endpoint_id).view(EndpointView::Full)
    }
}

impl Operation for GetEndpoint {
    type Response = WithRaw<Endpoint>;
    const ROUTE: Route = Route::get("/endpoint/v1/endpoints/:endpointId");
}
