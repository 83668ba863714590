use serde_json::{Map, Value};

use crate::models::macros::model;

model! {
    /// The checks of a tenant's configuration. Returned by
    /// `GET /account-health-check/v1/health-check`.
    ///
    /// The structure of the checks is undocumented: they hold the service's JSON.
    pub struct AccountHealth {
        /// The checks of endpoints: `protection`, `policy`, `exclusions`,
        /// `tamperProtection`.
        endpoint: Map<String, Value>,
        /// The checks of network devices.
        network_device: Map<String, Value>,
    }
}
