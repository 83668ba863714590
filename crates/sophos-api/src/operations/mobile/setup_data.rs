//! Setup data of Intercept X for Mobile: `/mobile/v1/static-setup-data`.

use crate::{
    models::{Reference, SecretText, macros::model},
    operation::macros::{listed, operation},
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
