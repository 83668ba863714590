//! Global Tamper Protection: `/endpoint/v1/endpoints/:endpointId/tamper-protection` and the operations beside it.

use crate::{Timestamp, model::{model}, operation_macro::{operation, tested}};

model! {
    /// A tamper protection.
    pub struct TamperProtection {
        /// Whether it is enabled.
        enabled: bool,
        /// The password.
        password: String,
        /// The previous passwords.
        previous_passwords: Vec<TamperProtectionPreviousPassword>,
    }
}

model! {
    /// A tamper protection previous password.
    pub struct TamperProtectionPreviousPassword {
        /// The password.
        password: String,
        /// The time: invalidated.
        invalidated_at: Timestamp,
    }
}

model! {
    /// A global tamper protection.
    pub struct GlobalTamperProtection {
        /// Whether it is enabled.
        enabled: bool,
    }
}

operation! {
    /// Gets Tamper Protection settings for a specified endpoint.
    pub struct GetTamperProtection = GET "/endpoint/v1/endpoints/:endpointId/tamper-protection" (tenant)
        -> TamperProtection {
        /// The endpoint id.
        endpoint_id!: String,
    }
}

operation! {
    /// Updates the tamper protection.
    pub struct UpdateTamperProtection = POST "/endpoint/v1/endpoints/:endpointId/tamper-protection" (tenant)
        -> TamperProtection {
        /// The endpoint id.
        endpoint_id!: String,
        /// Whether it is enabled.
        enabled: bool,
        /// Whether `regeneratePassword` is set.
        regenerate_password: bool,
    }
}

operation! {
    /// Checks whether Tamper Protection is turned on globally.
    pub struct GetGlobalTamperProtection = GET "/endpoint/v1/settings/tamper-protection" (tenant)
        -> GlobalTamperProtection {
    }
}

tested! {
    GetTamperProtection
    UpdateTamperProtection
    GetGlobalTamperProtection
}
