//! `GET /endpoint/v1/endpoints/{endpointId}/isolation`

use serde::Serialize;

use crate::{Operation, Route, WithRaw, models::Isolation};

/// Reads what was asked for an endpoint's isolation. What the endpoint reported
/// is in the endpoint itself.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GetIsolation {
    /// The endpoint's id.
    pub endpoint_id: String,
}

impl Operation for GetIsolation {
    type Response = WithRaw<Isolation>;
    const ROUTE: Route = Route::get("/endpoint/v1/endpoints/:endpointId/isolation");
}
