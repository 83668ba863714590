//! The service's time, which decides what is lost and what is new, and the
//! transport's, which decides when to stop.

use std::time::Duration;

use sophos_api::{TenantClient, Transport};

/// The service's time, in milliseconds since the Unix epoch, if it has told it.
pub(crate) fn service_ms<T: Transport>(client: &TenantClient<T>) -> Option<i64> {
    client.client().service_time().map(|time| time.as_millis() as i64)
}

/// The service's time, or ours as long as it has not told it.
pub(crate) fn now_ms<T: Transport>(client: &TenantClient<T>) -> i64 {
    service_ms(client).unwrap_or_else(|| client.client().transport().now().as_millis() as i64)
}

/// Whether the time is up.
pub(crate) fn is_past<T: Transport>(client: &TenantClient<T>, stop_at: Option<Duration>) -> bool {
    stop_at.is_some_and(|stop_at| client.client().transport().now() >= stop_at)
}
