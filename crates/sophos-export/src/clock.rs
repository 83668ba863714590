//! The service's time, for checkpoints and gaps, and the transport's, for deadlines.

use std::time::Duration;

use sophos_api::{TenantClient, Transport};

use crate::stream::StreamRun;

/// The service's time in milliseconds since the Unix epoch; `None` before its first
/// response.
///
/// If its `Date` differs from the local clock by more than `max_skew`, the local clock
/// counts: a checkpoint in the future would skip records.
pub(crate) fn trusted_service_ms<T: Transport>(client: &TenantClient<T>, max_skew: Duration) -> Option<i64> {
    let service = client.client().service_time()?;
    let local = client.client().transport().now();
    let is_trusted = service.abs_diff(local) <= max_skew;
    Some(if is_trusted { service } else { local }.as_millis() as i64)
}

/// The skew of the service's time from the local clock, if it exceeds `max_skew`.
pub(crate) fn excess_skew<T: Transport>(client: &TenantClient<T>, max_skew: Duration) -> Option<Duration> {
    let skew = client.client().service_time()?.abs_diff(client.client().transport().now());
    (skew > max_skew).then_some(skew)
}

/// The clock of a run: the times of its commits, and its deadline.
pub(crate) trait RunClock: Send + Sync {
    /// The time of a commit in milliseconds since the Unix epoch.
    fn now_ms(&self, max_service_skew: Duration) -> i64;

    /// The local time since the Unix epoch, which decides about deadlines.
    fn local_now(&self) -> Duration;
}

/// The service's time, or the local time before its first response.
impl<T: Transport> RunClock for TenantClient<T> {
    fn now_ms(&self, max_service_skew: Duration) -> i64 {
        trusted_service_ms(self, max_service_skew).unwrap_or_else(|| self.local_now().as_millis() as i64)
    }

    fn local_now(&self) -> Duration {
        self.client().transport().now()
    }
}

/// The clock of a run that sends no requests.
pub(crate) struct LocalClock<F>(pub(crate) F);

impl<F: Fn() -> Duration + Send + Sync> RunClock for LocalClock<F> {
    fn now_ms(&self, _: Duration) -> i64 {
        self.local_now().as_millis() as i64
    }

    fn local_now(&self) -> Duration {
        self.0()
    }
}

impl<C: RunClock> StreamRun<'_, C> {
    /// Whether the deadline has passed or the run was stopped.
    pub(crate) fn must_stop(&self) -> bool {
        self.control.stop.is_stopped()
            || self.stop_at.is_some_and(|stop_at| self.client.local_now() >= stop_at)
    }

    pub(crate) fn now_ms(&self) -> i64 {
        self.client.now_ms(self.settings.max_service_skew)
    }

    /// The age of a time in seconds.
    pub(crate) fn age_seconds(&self, ms: i64) -> f64 {
        (self.now_ms() - ms).max(0) as f64 / 1_000.0
    }
}
