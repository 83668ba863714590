//! Update checks of endpoints: `/endpoint/v1/endpoints/{endpointId}/update-checks`.

use crate::{
    Timestamp,
    models::macros::model,
    operation::macros::{listed, operation},
};

operation! {
    /// Requests that an endpoint checks for updates of its software.
    pub struct CheckForUpdates = POST "/endpoint/v1/endpoints/:endpointId/update-checks" (tenant)
        -> UpdateCheck {
        /// The endpoint's id.
        endpoint_id!: String,
    }
}

model! {
    /// A requested update check. No operation returns its later state.
    pub struct UpdateCheck {
        /// The id of the request.
        id as id: String,
        /// The state: `requested`.
        status: String,
        /// The time of the request.
        requested_at: Timestamp,
    }
}

listed! {
    CheckForUpdates
}
