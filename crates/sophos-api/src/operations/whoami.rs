//! `GET /whoami/v1`

use serde::Serialize;

use crate::{Operation, Route, ScopeHeader, WithRaw, models::Whoami};

/// Gets the owner of the credential and the hosts to use.
///
/// A [`Client`](crate::Client) sends it by itself and keeps the response as its
/// [`Identity`](crate::Identity).
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct GetWhoami {}

impl GetWhoami {
    /// Gets the owner of the credential.
    pub fn new() -> Self {
        Self {}
    }
}

impl Operation for GetWhoami {
    type Response = WithRaw<Whoami>;
    const ROUTE: Route = Route::get("/whoami/v1").global(ScopeHeader::None);
}
