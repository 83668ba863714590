use std::{fmt, time::Duration};

use crate::BoxFuture;

/// A rate budget that several processes spend together, such as the workers of
/// a queue that all use one credential.
///
/// A client asks it before each request to the API, after its own
/// [`RateLimit`](crate::RateLimit), which knows of this process alone.
pub trait SharedRateLimiter: fmt::Debug + Send + Sync {
    /// Waits until one request may be sent, and says how long it waited. No
    /// wait goes past `deadline`, in the time of
    /// [`Transport::now`](crate::Transport::now).
    ///
    /// An implementation that cannot reach the other processes lets the request
    /// through: the service has the last word on its limits.
    ///
    /// # Errors
    /// How long it would have to wait, when that is past the deadline.
    fn acquire_permit(&self, deadline: Option<Duration>) -> BoxFuture<'_, Result<Duration, Duration>>;
}
