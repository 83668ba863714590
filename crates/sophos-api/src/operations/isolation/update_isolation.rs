//! `PATCH /endpoint/v1/endpoints/{endpointId}/isolation`

use serde::Serialize;

use super::check_comment;
use crate::{Error, Operation, Route, WithRaw, models::Isolation, setters::with_setters};

with_setters! {
    /// Isolates one endpoint, or releases it.
    ///
    /// 409 means that a change is in progress, and 400 may mean that the endpoint
    /// is in that state already. Read the state with
    /// [`GetIsolation`](super::GetIsolation) before the next attempt. The client
    /// does not repeat the request after a failure with an unknown outcome.
    #[derive(Debug, Clone, PartialEq, Serialize)]
    #[serde(rename_all = "camelCase")]
    #[non_exhaustive]
    pub struct UpdateIsolation {
        /// The endpoint's id.
        pub endpoint_id: String,
        /// Whether the endpoint is to be isolated.
        pub enabled: bool,
        /// The reason, in at most 400 characters.
        pub comment: Option<String>,
    }
}

impl UpdateIsolation {
    /// Isolates the endpoint of this id, or releases it, without a comment.
    pub fn new(endpoint_id: impl Into<String>, enabled: bool) -> Self {
        Self { endpoint_id: endpoint_id.into(), enabled, comment: None }
    }
}

impl Operation for UpdateIsolation {
    type Response = WithRaw<Isolation>;
    const ROUTE: Route = Route::patch("/endpoint/v1/endpoints/:endpointId/isolation");

    fn validate(&self) -> Result<(), Error> {
        check_comment(self.comment.as_deref())
    }
}
