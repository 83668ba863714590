//! The service's time, for checkpoints and gaps, and the transport's, for deadlines.

use std::time::Duration;

use sophos_api::{TenantClient, Transport};

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

/// The service's time, or the local time before its first response.
pub(crate) fn now_ms<T: Transport>(client: &TenantClient<T>, max_skew: Duration) -> i64 {
    let local = || client.client().transport().now().as_millis() as i64;
    trusted_service_ms(client, max_skew).unwrap_or_else(local)
}

/// Whether the deadline has passed.
pub(crate) fn deadline_passed<T: Transport>(client: &TenantClient<T>, stop_at: Option<Duration>) -> bool {
    stop_at.is_some_and(|stop_at| client.client().transport().now() >= stop_at)
}
