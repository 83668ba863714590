//! `GET /common/v1/alerts/{alertId}`

use serde::Serialize;

use crate::{Operation, Route, WithRaw, models::Alert};

/// Reads one alert.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GetAlert {
    /// The alert's id.
    pub alert_id: String,
}

impl Operation for GetAlert {
    type Response = WithRaw<Alert>;
    const ROUTE: Route = Route::get("/common/v1/alerts/:alertId");
}
