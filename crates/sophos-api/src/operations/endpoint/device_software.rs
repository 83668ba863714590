//! Assignment of agent software to endpoints: `/endpoint/v1/settings/device-software`.

use serde_json::Value;

use crate::{
    models::macros::model,
    operation::macros::{listed, operation},
};

operation! {
    /// Assigns a protection package to computers.
    ///
    /// One public client calls it and ignores the response; a third party lists the path.
    pub struct UpdateDeviceSoftware = PATCH "/endpoint/v1/settings/device-software" (tenant)
        -> Value {
        /// The computers and their package.
        computer!: DeviceSoftware,
    }
}

model! {
    /// Endpoints and the package to assign to them.
    pub struct DeviceSoftware with setters {
        /// The ids of the endpoints.
        ids: Vec<String>,
        /// The id of the protection package, or `All`.
        protection_assigned_id: String,
    }
}

listed! {
    UpdateDeviceSoftware
}
