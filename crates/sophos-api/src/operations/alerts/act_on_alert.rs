//! `POST /common/v1/alerts/{alertId}/actions`

use serde::Serialize;

use crate::{
    Operation, Route, WithRaw,
    models::{AlertAction, AlertActionKind},
};

/// Does something about an alert.
///
/// The action must be one of the alert's `allowedActions`, else the service
/// answers 400. There is no way to ask for the action's later state.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ActOnAlert {
    /// The alert's id.
    pub alert_id: String,
    /// What to do.
    pub action: AlertActionKind,
    /// A message, for actions that send one, and for the record.
    pub message: Option<String>,
}

impl Operation for ActOnAlert {
    type Response = WithRaw<AlertAction>;
    const ROUTE: Route = Route::post("/common/v1/alerts/:alertId/actions");
}
