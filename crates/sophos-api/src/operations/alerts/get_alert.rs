//! `GET /common/v1/alerts/{alertId}`

use serde::Serialize;

use crate::{Operation, Route, WithRaw, models::Alert};

/// Gets one alert.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct GetAlert {
    /// The alert's id.
    pub alert_id: String,
}

impl GetAlert {
    /// Gets the alert of this id.
    pub fn new(alert_id: impl Into<String>) -> Self {
        Self { alert_id: alert_id.into() }
    }
}

impl Operation for GetAlert {
    type Response = WithRaw<Alert>;
    const ROUTE: Route = Route::get("/common/v1/alerts/:alertId");
}
