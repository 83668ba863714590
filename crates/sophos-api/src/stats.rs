use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

/// What has been asked of the service.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RequestStats {
    /// Requests to the API, repeated ones included.
    pub api_requests: u64,
    /// Requests for a token.
    pub token_requests: u64,
    /// Requests that repeated a failed one.
    pub retries: u64,
    /// Answers 429.
    pub throttled: u64,
    /// Time spent waiting, for the budget or before a repetition.
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
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        RequestStats {
            api_requests: read(&self.api_requests),
            token_requests: read(&self.token_requests),
            retries: read(&self.retries),
            throttled: read(&self.throttled),
            wait_time: Duration::from_millis(read(&self.wait_time_ms)),
        }
    }
}
