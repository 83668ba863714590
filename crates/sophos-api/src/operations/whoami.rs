//! `GET /whoami/v1`

use serde::Serialize;

use crate::{Operation, Record, Route, Scope, models::Whoami};

/// Asks who the credential belongs to, and which hosts to use.
///
/// A [`Client`](crate::Client) does so by itself and keeps the answer as its
/// [`Identity`](crate::Identity).
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct WhoAmI {}

impl Operation for WhoAmI {
    type Response = Record<Whoami>;
    const ROUTE: Route = Route::get("/whoami/v1").global(Scope::None);
}
