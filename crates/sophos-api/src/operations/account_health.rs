//! `GET /account-health-check/v1/health-check`

use crate::operation_macro::files;
use serde::Serialize;

use crate::{Operation, Route, WithRaw, models::AccountHealth, setters::with_setters};

with_setters! {
    /// Checks a tenant's configuration.
    #[derive(Debug, Clone, Default, PartialEq, Serialize)]
    #[serde(rename_all = "camelCase")]
    #[non_exhaustive]
    pub struct CheckAccountHealth {
        /// The checks to run, such as `protection` and `exclusions`; all if empty.
        pub checks: Vec<String>,
        /// The products to check, `endpoint` and `networkDevice`; all if empty.
        pub products: Vec<String>,
    }
}

impl CheckAccountHealth {
    /// Runs all checks of all products.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Operation for CheckAccountHealth {
    type Response = WithRaw<AccountHealth>;
    const ROUTE: Route = Route::get("/account-health-check/v1/health-check");
}

files! { scores snooze }
