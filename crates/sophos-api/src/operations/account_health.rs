//! `GET /account-health-check/v1/health-check`

use serde::Serialize;

use crate::{Operation, Route, WithRaw, models::AccountHealth};

/// Checks how well a tenant is set up.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CheckAccountHealth {
    /// The checks to run, such as `protection` and `exclusions`. All if not
    /// given.
    pub checks: Vec<String>,
    /// The products to check: `endpoint`, `networkDevice`. All if not given.
    pub products: Vec<String>,
}

impl Operation for CheckAccountHealth {
    type Response = WithRaw<AccountHealth>;
    const ROUTE: Route = Route::get("/account-health-check/v1/health-check");
}
