//! Update Checks: `/endpoint/v1/endpoints/:endpointId/update-checks` and the operations beside it.

use crate::{Timestamp, model::{model}, operation_macro::{operation, tested}};

model! {
    /// A for update.
    pub struct ForUpdate {
        /// The id.
        id as id: String,
        /// The status.
        status: String,
        /// The time: requested.
        requested_at: Timestamp,
    }
}

operation! {
    /// Checks the for updates.
    pub struct CheckForUpdates = POST "/endpoint/v1/endpoints/:endpointId/update-checks" (tenant)
        -> ForUpdate {
        /// The endpoint id.
        endpoint_id!: String,
    }
}

tested! {
    CheckForUpdates
}
