//! The transport, which prints requests with `--debug`.

use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::HeaderMap;
use sophos_api::{ReqwestTransport, Transport, TransportError};

use crate::exit::Failure;

/// HTTP on tokio.
#[derive(Debug)]
pub(crate) struct CliTransport {
    inner: ReqwestTransport,
    debug: bool,
}

impl CliTransport {
    /// # Errors
    /// When TLS cannot be set up.
    pub(crate) fn new(debug: bool) -> Result<Self, Failure> {
        let inner = ReqwestTransport::new()
            .map_err(|error| Failure::other(format!("setting up TLS failed: {error}")))?;
        Ok(Self { inner, debug })
    }
}

impl Transport for CliTransport {
    async fn send(
        &self,
        request: http::Request<Vec<u8>>,
        timeout: Duration,
    ) -> Result<http::Response<Bytes>, TransportError> {
        if !self.debug {
            return self.inner.send(request, timeout).await;
        }
        // Neither bodies nor headers: they hold the secret and the token.
        let line = format!("{} {}", request.method(), request.uri());
        let start = Instant::now();
        let result = self.inner.send(request, timeout).await;
        let elapsed = start.elapsed().as_millis();
        match &result {
            Ok(response) => eprintln!(
                "debug: {line} -> {} in {elapsed} ms, {} bytes{}",
                response.status().as_u16(),
                response.body().len(),
                ids(response.headers())
            ),
            Err(error) => eprintln!("debug: {line} -> {error} after {elapsed} ms"),
        }
        result
    }

    fn now(&self) -> Duration {
        self.inner.now()
    }

    async fn sleep(&self, duration: Duration) {
        if self.debug && !duration.is_zero() {
            eprintln!("debug: waits {} ms for the rate limit or a retry", duration.as_millis());
        }
        self.inner.sleep(duration).await;
    }
}

/// The ids of a response, for the service's support.
fn ids(headers: &HeaderMap) -> String {
    ["x-request-id", "x-correlation-id", "x-amzn-requestid"]
        .iter()
        .filter_map(|name| Some(format!(", {name} {}", headers.get(*name)?.to_str().ok()?)))
        .collect()
}
