//! Checks of a tenant's configuration: `/account-health-check/v1/health-check`.

use crate::{
    WithRaw,
    models::AccountHealth,
    operation::macros::{listed, operation},
};

operation! {
    /// Checks a tenant's configuration.
    pub struct CheckAccountHealth = GET "/account-health-check/v1/health-check" (tenant)
        -> WithRaw<AccountHealth> {
        /// The checks to run, such as `protection` and `exclusions`; all if empty.
        checks: [String],
        /// The products to check, `endpoint` and `networkDevice`; all if empty.
        products: [String],
    }
}

listed! {
    CheckAccountHealth
}
