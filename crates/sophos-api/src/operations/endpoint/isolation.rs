//! Isolation: `/endpoint/v1/endpoints/isolation`. An isolated endpoint exchanges data
//! with the service alone.
//!
//! The service accepts a change; the endpoint applies it when it next reports.
//! The change of an offline endpoint stays pending without limit. There is no
//! timer: an endpoint stays isolated until it is released. The service expects
//! callers to wait between an isolation and its release.

use crate::{
    WithRaw,
    models::{Isolation, IsolationItems},
    operation::macros::{listed, operation},
};

/// The most endpoints in one request.
pub const MAX_IDS: usize = 50;

/// The longest comment, in characters.
pub const MAX_COMMENT_LEN: usize = 400;

operation! {
    /// Returns the isolation that was requested for an endpoint.
    ///
    /// The endpoint's own record holds the isolation that it reported.
    pub struct GetIsolation = GET "/endpoint/v1/endpoints/:endpointId/isolation" (tenant)
        -> WithRaw<Isolation> {
        /// The endpoint's id.
        endpoint_id!: String,
    }
}

operation! {
    /// Isolates one endpoint, or releases it.
    ///
    /// 409 means that a change is in progress, and 400 may mean that the endpoint
    /// is in that state already. Read the state with [`GetIsolation`] before the next
    /// attempt. The client does not repeat the request after a failure with an unknown
    /// outcome.
    pub struct UpdateIsolation = PATCH "/endpoint/v1/endpoints/:endpointId/isolation" (tenant)
        -> WithRaw<Isolation> {
        /// The endpoint's id.
        endpoint_id!: String,
        /// Whether the endpoint is to be isolated.
        enabled!: bool,
        /// The reason, in at most 400 characters.
        comment: String,
    }
    where { comment: 0..=MAX_COMMENT_LEN as i64, }
}

operation! {
    /// Isolates up to 50 endpoints, or releases them.
    ///
    /// Compare the ids of the response with the ones of the request: the service
    /// silently omits an unknown id if it knows another. Like [`UpdateIsolation`], the
    /// client does not repeat the request after a failure with an unknown outcome.
    pub struct UpdateIsolations = POST "/endpoint/v1/endpoints/isolation" (tenant)
        -> WithRaw<IsolationItems> {
        /// The endpoints' ids, 1 to 50.
        ids!: [String],
        /// Whether the endpoints are to be isolated.
        enabled!: bool,
        /// The reason, in at most 400 characters.
        comment: String,
    }
    where { ids: 1..=MAX_IDS as i64, comment: 0..=MAX_COMMENT_LEN as i64, }
}

listed! {
    GetIsolation
    UpdateIsolation
    UpdateIsolations
}
