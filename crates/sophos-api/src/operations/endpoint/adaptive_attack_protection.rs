//! Adaptive Attack Protection: `/endpoint/v1/endpoints/:endpointId/adaptive-attack-protection` and the operations beside it.

use crate::{Timestamp, model::{model}, operation_macro::{operation, tested}};

model! {
    /// An adaptive attack protection.
    pub struct AdaptiveAttackProtection {
        /// The desired state.
        desired_state: AdaptiveAttackProtectionDesiredState,
        /// The actual state.
        actual_state: AdaptiveAttackProtectionActualState,
    }
}

model! {
    /// An adaptive attack protection desired state.
    pub struct AdaptiveAttackProtectionDesiredState {
        /// Whether it is enabled.
        enabled: bool,
        /// The expires after.
        expires_after: String,
        /// The source.
        source: String,
    }
}

model! {
    /// An adaptive attack protection actual state.
    pub struct AdaptiveAttackProtectionActualState {
        /// Whether it is enabled.
        enabled: bool,
        /// The time: last updated.
        last_updated_at: Timestamp,
        /// The time of expiry.
        expires_at: Timestamp,
    }
}

operation! {
    /// Gets Adaptive Attack Protection settings for an endpoint.
    pub struct GetAdaptiveAttackProtection = GET "/endpoint/v1/endpoints/:endpointId/adaptive-attack-protection" (tenant)
        -> AdaptiveAttackProtection {
        /// The endpoint id.
        endpoint_id!: String,
    }
}

operation! {
    /// Updates Adaptive Attack Protection settings for an endpoint.
    pub struct UpdateAdaptiveAttackProtection = POST "/endpoint/v1/endpoints/:endpointId/adaptive-attack-protection" (tenant)
        -> AdaptiveAttackProtection {
        /// The endpoint id.
        endpoint_id!: String,
        /// Whether it is enabled.
        enabled: bool,
        /// The expires after.
        expires_after: String,
    }
}

tested! {
    GetAdaptiveAttackProtection
    UpdateAdaptiveAttackProtection
}
