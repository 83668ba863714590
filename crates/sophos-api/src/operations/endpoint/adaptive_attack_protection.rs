//! Adaptive Attack Protection of one endpoint: `/endpoint/v1/endpoints/{endpointId}/adaptive-attack-protection`.

use crate::{
    Timestamp,
    models::macros::model,
    operation::macros::{listed, operation},
};

operation! {
    /// Returns the Adaptive Attack Protection of an endpoint.
    pub struct GetAdaptiveAttackProtection = GET "/endpoint/v1/endpoints/:endpointId/adaptive-attack-protection" (tenant)
        -> AdaptiveAttackProtection {
        /// The endpoint's id.
        endpoint_id!: String,
    }
}

operation! {
    /// Turns Adaptive Attack Protection of an endpoint on or off.
    pub struct UpdateAdaptiveAttackProtection = POST "/endpoint/v1/endpoints/:endpointId/adaptive-attack-protection" (tenant)
        -> AdaptiveAttackProtection {
        /// The endpoint's id.
        endpoint_id!: String,
        /// Whether it is to be turned on.
        enabled!: bool,
        /// The ISO 8601 duration until it turns off, such as `P7D`.
        expires_after: String,
    }
}

model! {
    /// The Adaptive Attack Protection of an endpoint.
    pub struct AdaptiveAttackProtection {
        /// The requested state.
        desired_state: DesiredState,
        /// The state that the endpoint reported.
        actual_state: ActualState,
    }
}

model! {
    /// The requested state.
    pub struct DesiredState {
        /// Whether it is enabled.
        enabled: bool,
        /// The ISO 8601 duration until it turns off, such as `P7D`.
        expires_after: String,
        /// The origin of the request.
        source: String,
    }
}

model! {
    /// The state that the endpoint reported.
    pub struct ActualState {
        /// Whether it is enabled.
        enabled: bool,
        /// The time of the last report.
        last_updated_at: Timestamp,
        /// The time of expiry.
        expires_at: Timestamp,
    }
}

listed! {
    GetAdaptiveAttackProtection
    UpdateAdaptiveAttackProtection
}
