//! `POST /endpoint/v1/endpoints/isolation`

use serde::Serialize;

use super::check_comment;
use crate::{
    Error, Operation, Route, WithRaw, checks::check_count, models::IsolationItems, setters::with_setters,
};

/// The most endpoints in one request.
pub const MAX_IDS: usize = 50;

with_setters! {
    /// Isolates up to 50 endpoints, or releases them.
    ///
    /// Compare the ids of the response with the ones of the request: the service
    /// silently omits an unknown id if it knows another. Like
    /// [`UpdateIsolation`](super::UpdateIsolation), the client does not repeat the
    /// request after a failure with an unknown outcome.
    #[derive(Debug, Clone, PartialEq, Serialize)]
    #[serde(rename_all = "camelCase")]
    #[non_exhaustive]
    pub struct UpdateIsolations {
        /// The endpoints' ids, 1 to 50.
        pub ids: Vec<String>,
        /// Whether the endpoints are to be isolated.
        pub enabled: bool,
        /// The reason, in at most 400 characters.
        pub comment: Option<String>,
    }
}

impl UpdateIsolations {
    /// Isolates the endpoints of these ids, or releases them, without a comment.
    pub fn new(ids: impl IntoIterator<Item = impl Into<String>>, enabled: bool) -> Self {
        Self { ids: ids.into_iter().map(Into::into).collect(), enabled, comment: None }
    }
}

impl Operation for UpdateIsolations {
    type Response = WithRaw<IsolationItems>;
    const ROUTE: Route = Route::post("/endpoint/v1/endpoints/isolation");

    fn validate(&self) -> Result<(), Error> {
        check_count("ids", self.ids.len(), 1..=MAX_IDS)?;
        check_comment(self.comment.as_deref())
    }
}
