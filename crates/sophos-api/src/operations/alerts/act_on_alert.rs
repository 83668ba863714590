//! `POST /common/v1/alerts/{alertId}/actions`

use serde::Serialize;

use crate::{
    Operation, Route, WithRaw,
    models::{AlertAction, AlertActionKind},
    setters::with_setters,
};

with_setters! {
    /// Requests an action on an alert.
    ///
    /// The action must be one of the alert's `allowedActions`, else the service
    /// responds with 400. No operation returns the action's later state.
    #[derive(Debug, Clone, PartialEq, Serialize)]
    #[serde(rename_all = "camelCase")]
    #[non_exhaustive]
    pub struct ActOnAlert {
        /// The alert's id.
        pub alert_id: String,
        /// The action.
        pub action: AlertActionKind,
        /// A message for the record, and for actions that send one.
        pub message: Option<String>,
    }
}

impl ActOnAlert {
    /// Requests this action on the alert of this id, without a message.
    pub fn new(alert_id: impl Into<String>, action: AlertActionKind) -> Self {
        Self { alert_id: alert_id.into(), action, message: None }
    }
}

impl Operation for ActOnAlert {
    type Response = WithRaw<AlertAction>;
    const ROUTE: Route = Route::post("/common/v1/alerts/:alertId/actions");
}
