//! The time of a test.

use std::time::Duration;

use bytes::Bytes;
use sophos_api::{Transport, TransportError};
use tokio::time::Instant;

/// The start of a test, since the Unix epoch.
pub(crate) const START: Duration = Duration::from_secs(1_795_000_000);

/// Tokio's paused time, which advances when every task waits.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Time(Instant);

impl Time {
    pub(crate) fn starting_now() -> Self {
        Self(Instant::now())
    }
}

impl Transport for Time {
    async fn send(
        &self,
        _: http::Request<Vec<u8>>,
        _: Duration,
    ) -> Result<http::Response<Bytes>, TransportError> {
        unreachable!("a budget sends nothing")
    }

    fn now(&self) -> Duration {
        START + self.0.elapsed()
    }

    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send {
        tokio::time::sleep(duration)
    }
}
