//! `POST /endpoint/v1/endpoints/isolation`

use serde::Serialize;

use super::check_comment;
use crate::{Error, Operation, Route, WithRaw, models::IsolationItems};

/// Endpoints in one request at most.
pub const MAX_IDS: usize = 50;

/// Isolates up to 50 endpoints, or releases them.
///
/// Compare the ids of the answer with those sent: an id that the service does
/// not know is left out without a word, as long as it knows another. Like
/// [`UpdateIsolation`](super::UpdateIsolation) it is not repeated after a
/// failure that leaves open what happened.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UpdateIsolations {
    /// The endpoints' ids, 1 to 50.
    pub ids: Vec<String>,
    /// Whether they are to be isolated.
    pub enabled: bool,
    /// Why, in at most 400 characters.
    pub comment: Option<String>,
}

impl Operation for UpdateIsolations {
    type Response = WithRaw<IsolationItems>;
    const ROUTE: Route = Route::post("/endpoint/v1/endpoints/isolation");

    fn validate(&self) -> Result<(), Error> {
        if !(1..=MAX_IDS).contains(&self.ids.len()) {
            return Err(Error::invalid(format!(
                "{} ids are given; 1 to {MAX_IDS} are allowed",
                self.ids.len()
            )));
        }
        check_comment(self.comment.as_deref())
    }
}
