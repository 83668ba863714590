//! `PATCH /endpoint/v1/endpoints/{endpointId}/isolation`

use serde::Serialize;

use super::check_comment;
use crate::{Error, Operation, Route, WithRaw, models::Isolation};

/// Isolates one endpoint, or releases it.
///
/// 409 means that a change is in progress, and 400 was seen toward the state
/// already held: read the state ([`GetIsolation`](super::GetIsolation)), then
/// decide. So it is not repeated after a failure that leaves open what
/// happened.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UpdateIsolation {
    /// The endpoint's id.
    pub endpoint_id: String,
    /// Whether it is to be isolated.
    pub enabled: bool,
    /// Why, in at most 400 characters.
    pub comment: Option<String>,
}

impl Operation for UpdateIsolation {
    type Response = WithRaw<Isolation>;
    const ROUTE: Route = Route::patch("/endpoint/v1/endpoints/:endpointId/isolation");

    fn validate(&self) -> Result<(), Error> {
        check_comment(self.comment.as_deref())
    }
}
