//! `GET /whoami/v1`

use serde::Serialize;

use crate::{Operation, Route, ScopeHeader, WithRaw, models::Whoami};

/// Asks who the credential belongs to, and which hosts to use.
///
/// A [`Client`](crate::Client) does so by itself and keeps the answer as its
/// [`Identity`](crate::Identity).
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct GetWhoami {}

impl Operation for GetWhoami {
    type Response = WithRaw<Whoami>;
    const ROUTE: Route = Route::get("/whoami/v1").global(ScopeHeader::None);
}
