//! Tamper Protection of one endpoint, and of a tenant: `/endpoint/v1/settings/tamper-protection`.

use crate::{
    Timestamp,
    models::{SecretText, macros::model},
    operation::macros::{listed, operation},
};

operation! {
    /// Returns the Tamper Protection of an endpoint, with its password.
    pub struct GetTamperProtection = GET "/endpoint/v1/endpoints/:endpointId/tamper-protection" (tenant)
        -> TamperProtection {
        /// The endpoint's id.
        endpoint_id!: String,
    }
}

operation! {
    /// Turns Tamper Protection of an endpoint on or off, or generates a new password.
    ///
    /// It can be turned on only while it is on globally.
    pub struct UpdateTamperProtection = POST "/endpoint/v1/endpoints/:endpointId/tamper-protection" (tenant)
        -> TamperProtection {
        /// The endpoint's id.
        endpoint_id!: String,
        /// Whether it is to be turned on.
        enabled: bool,
        /// Whether a new password is generated.
        regenerate_password: bool,
    }
}

operation! {
    /// Returns whether Tamper Protection is turned on globally.
    pub struct GetGlobalTamperProtection = GET "/endpoint/v1/settings/tamper-protection" (tenant)
        -> GlobalTamperProtection {}
}

model! {
    /// The Tamper Protection of an endpoint.
    pub struct TamperProtection {
        /// Whether Tamper Protection is turned on.
        enabled: bool,
        /// The password that turns it off on the endpoint.
        password: SecretText,
        /// The passwords before.
        previous_passwords: Vec<PreviousPassword>,
    }
}

model! {
    /// A password that was in use before.
    pub struct PreviousPassword {
        /// The password.
        password: SecretText,
        /// The time when it became invalid.
        invalidated_at: Timestamp,
    }
}

model! {
    /// The Tamper Protection of a tenant.
    pub struct GlobalTamperProtection {
        /// Whether Tamper Protection is turned on.
        enabled: bool,
    }
}

listed! {
    GetTamperProtection
    UpdateTamperProtection
    GetGlobalTamperProtection
}
