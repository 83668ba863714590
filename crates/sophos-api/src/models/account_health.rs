use serde_json::{Map, Value};

use crate::model::model;

model! {
    /// How well a tenant is set up. Sent by
    /// `GET /account-health-check/v1/health-check`.
    ///
    /// The checks are published without their inner shape: they are kept as the
    /// service sends them.
    pub struct AccountHealth {
        /// The checks of endpoints: `protection`, `policy`, `exclusions`,
        /// `tamperProtection`.
        endpoint: Map<String, Value>,
        /// The checks of network devices.
        network_device: Map<String, Value>,
    }
}
