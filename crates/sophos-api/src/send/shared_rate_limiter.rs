use std::{fmt, time::Duration};

use crate::BoxFuture;

/// A rate limiter for several processes with one credential, such as the workers of a
/// queue.
///
/// A client acquires a permit before each request to the API, after one of its own
/// [`RateLimit`](crate::RateLimit), which applies to this process alone.
pub trait SharedRateLimiter: fmt::Debug + Send + Sync {
    /// Waits until one request may be sent, and returns the time that it waited. It does
    /// not wait past `deadline`, in the time of
    /// [`Transport::now`](crate::Transport::now).
    ///
    /// An implementation without a connection to the other processes permits the
    /// request: the service enforces its limits anyway.
    ///
    /// # Errors
    /// The necessary wait, if it ends after the deadline.
    fn acquire_permit(&self, deadline: Option<Duration>) -> BoxFuture<'_, Result<Duration, Duration>>;
}
