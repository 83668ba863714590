//! `GET /endpoint/v1/endpoints/{endpointId}/isolation`

use serde::Serialize;

use crate::{Operation, Route, WithRaw, models::Isolation};

/// Gets the isolation that was requested for an endpoint. The endpoint's own
/// record holds the isolation that it reported.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct GetIsolation {
    /// The endpoint's id.
    pub endpoint_id: String,
}

impl GetIsolation {
    /// Gets the isolation of the endpoint of this id.
    pub fn new(endpoint_id: impl Into<String>) -> Self {
        Self { endpoint_id: endpoint_id.into() }
    }
}

impl Operation for GetIsolation {
    type Response = WithRaw<Isolation>;
    const ROUTE: Route = Route::get("/endpoint/v1/endpoints/:endpointId/isolation");
}
