//! `GET /endpoint/v1/endpoints/{endpointId}`

use serde::Serialize;

use crate::{
    Operation, Route, WithRaw,
    models::{Endpoint, EndpointView},
};

/// Reads one endpoint.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GetEndpoint {
    /// The endpoint's id.
    pub endpoint_id: String,
    /// How much of it to send; the summary if not given.
    pub view: Option<EndpointView>,
    /// The members to send; `id` is always sent.
    pub fields: Vec<String>,
}

impl GetEndpoint {
    /// Reads everything about this endpoint.
    pub fn full(endpoint_id: impl Into<String>) -> Self {
        Self { endpoint_id: endpoint_id.into(), view: Some(EndpointView::Full), fields: Vec::new() }
    }
}

impl Operation for GetEndpoint {
    type Response = WithRaw<Endpoint>;
    const ROUTE: Route = Route::get("/endpoint/v1/endpoints/:endpointId");
}
