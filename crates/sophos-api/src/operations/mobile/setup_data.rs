//! Static Setup Data: `/mobile/v1/static-setup-data/ixm-auto-enrollment` and the operations beside it.

use crate::{models::{Reference}, model::{model}, operation_macro::{operation, tested}};

model! {
    /// An auto enrollment.
    pub struct AutoEnrollment {
        /// The connection code.
        connection_code: String,
        /// The tenant.
        tenant: Reference,
    }
}

operation! {
    /// Gets static setup data for IXM auto enrollments.
    pub struct GetAutoEnrollment = GET "/mobile/v1/static-setup-data/ixm-auto-enrollment" (tenant)
        -> AutoEnrollment {
    }
}

tested! {
    GetAutoEnrollment
}
