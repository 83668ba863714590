use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

/// What has been asked of the service.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CallStats {
    /// Requests to the API, repeated ones included.
    pub calls: u64,
    /// Requests for a token.
    pub token_requests: u64,
    /// Requests that repeated a failed one.
    pub retries: u64,
    /// Answers 429.
    pub throttled: u64,
    /// Time spent waiting, for the budget or before a repetition.
    pub waited: Duration,
}

#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) calls: AtomicU64,
    pub(crate) token_requests: AtomicU64,
    pub(crate) retries: AtomicU64,
    pub(crate) throttled: AtomicU64,
    pub(crate) waited_ms: AtomicU64,
}

impl Counters {
    pub(crate) fn read(&self) -> CallStats {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        CallStats {
            calls: read(&self.calls),
            token_requests: read(&self.token_requests),
            retries: read(&self.retries),
            throttled: read(&self.throttled),
            waited: Duration::from_millis(read(&self.waited_ms)),
        }
    }
}
