use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

/// The request counters of a client or of a tenant's handle.
///
/// ```
/// use sophos_api::{ApiClient, Error, TenantClient, Transport, operations::common::alerts::ListAlerts};
///
/// /// Lists alerts, and returns the number of requests that it took.
/// async fn cost<T: Transport>(tenant: &TenantClient<T>) -> Result<u64, Error> {
///     let tenant = tenant.with_separate_stats();
///     tenant.send(&ListAlerts::new()).await?;
///     Ok(tenant.stats().api_requests)
/// }
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RequestStats {
    /// Requests to the API, retries included.
    pub api_requests: u64,
    /// Requests for a token.
    pub token_requests: u64,
    /// Retries of failed requests.
    pub retries: u64,
    /// Responses with the status 429.
    pub throttled: u64,
    /// The time spent on waits for the rate limit and before retries.
    pub wait_time: Duration,
}

#[derive(Debug, Default)]
pub(crate) struct RequestCounters {
    pub(crate) api_requests: AtomicU64,
    pub(crate) token_requests: AtomicU64,
    pub(crate) retries: AtomicU64,
    pub(crate) throttled: AtomicU64,
    pub(crate) wait_time_ms: AtomicU64,
}

impl RequestCounters {
    pub(crate) fn snapshot(&self) -> RequestStats {
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        RequestStats {
            api_requests: load(&self.api_requests),
            token_requests: load(&self.token_requests),
            retries: load(&self.retries),
            throttled: load(&self.throttled),
            wait_time: Duration::from_millis(load(&self.wait_time_ms)),
        }
    }
}
