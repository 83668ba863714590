use std::{fmt, time::Duration};

use crate::BoxFuture;

/// A rate limiter for several processes with one credential, such as the workers of a
/// queue.
///
/// A client acquires a permit before each request to the API, after one of its own
/// [`RateLimit`](crate::RateLimit), which applies to this process alone.
///
/// ```
/// use std::{sync::Mutex, time::{Duration, SystemTime}};
///
/// use sophos_api::{BoxFuture, SharedRateLimiter};
///
/// /// One request every 100 ms. Several processes keep `next` in a store that all reach.
/// #[derive(Debug)]
/// struct Spacing {
///     next: Mutex<SystemTime>,
/// }
///
/// impl SharedRateLimiter for Spacing {
///     fn acquire_permit(&self, deadline: Option<Duration>) -> BoxFuture<'_, Result<Duration, Duration>> {
///         let now = SystemTime::now();
///         let mut next = self.next.lock().expect("no other thread panicked");
///         let wait = next.duration_since(now).unwrap_or_default();
///         let permit = now + wait;
///         if deadline.is_some_and(|deadline| permit > SystemTime::UNIX_EPOCH + deadline) {
///             return Box::pin(async move { Err(wait) });
///         }
///         *next = permit + Duration::from_millis(100);
///         Box::pin(async move {
///             tokio::time::sleep(wait).await;
///             Ok(wait)
///         })
///     }
/// }
///
/// let limiter = Spacing { next: Mutex::new(SystemTime::now() + Duration::from_secs(3_600)) };
/// let refused = futures_executor::block_on(limiter.acquire_permit(Some(Duration::ZERO)));
/// assert!(refused.is_err_and(|wait| wait > Duration::from_secs(3_000)));
/// ```
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
