//! Setup data of Intercept X for Mobile: `/mobile/v1/static-setup-data`.

use crate::{
    model::model,
    models::{Reference, SecretText},
    operation_macro::{listed, operation},
};

operation! {
    /// Returns the data for the automatic enrollment of Intercept X for Mobile.
    pub struct GetAutoEnrollment = GET "/mobile/v1/static-setup-data/ixm-auto-enrollment" (tenant)
        -> AutoEnrollmentData {}
}

model! {
    /// The data for automatic enrollment.
    pub struct AutoEnrollmentData {
        /// The code that connects a device with the tenant.
        connection_code: SecretText,
        /// The tenant.
        tenant: Reference,
    }
}

listed! {
    GetAutoEnrollment
}
