//! The service's time, which decides what is lost and what is new, and the
//! transport's, which decides when to stop.

use std::time::Duration;

use sophos_api::{TenantClient, Transport};

/// The service's time, in milliseconds since the Unix epoch, if it has told it.
///
/// A `Date` that is further from our own clock than `max_skew` is not believed:
/// a checkpoint in the future would skip records, and our clock counts then.
pub(crate) fn trusted_service_ms<T: Transport>(client: &TenantClient<T>, max_skew: Duration) -> Option<i64> {
    let service = client.client().service_time()?;
    let own = client.client().transport().now();
    let believed = service.abs_diff(own) <= max_skew;
    Some(if believed { service } else { own }.as_millis() as i64)
}

/// How far the service's time is from ours, if that is not believed.
pub(crate) fn excess_skew<T: Transport>(client: &TenantClient<T>, max_skew: Duration) -> Option<Duration> {
    let skew = client.client().service_time()?.abs_diff(client.client().transport().now());
    (skew > max_skew).then_some(skew)
}

/// The service's time, or ours as long as it has not told it.
pub(crate) fn now_ms<T: Transport>(client: &TenantClient<T>, max_skew: Duration) -> i64 {
    let own = || client.client().transport().now().as_millis() as i64;
    trusted_service_ms(client, max_skew).unwrap_or_else(own)
}

/// Whether the time is up.
pub(crate) fn deadline_passed<T: Transport>(client: &TenantClient<T>, stop_at: Option<Duration>) -> bool {
    stop_at.is_some_and(|stop_at| client.client().transport().now() >= stop_at)
}
