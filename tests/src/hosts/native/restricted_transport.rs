//! The native transport with the allow-list of a plan.

use std::{io, time::Duration};

use sophos_api::{ReqwestTransport, Transport, TransportError, TransportErrorKind};

#[derive(Debug)]
pub(super) struct RestrictedTransport {
    inner: ReqwestTransport,
    allow: Vec<&'static str>,
}

impl RestrictedTransport {
    pub(super) fn new(allow: &[&'static str]) -> io::Result<Self> {
        Ok(Self { inner: ReqwestTransport::new().map_err(io::Error::other)?, allow: allow.to_vec() })
    }
}

impl Transport for RestrictedTransport {
    async fn send(
        &self,
        request: http::Request<Vec<u8>>,
        timeout: Duration,
    ) -> Result<http::Response<bytes::Bytes>, TransportError> {
        if !request.uri().host().is_some_and(|host| self.allow.contains(&host)) {
            return Err(TransportError::new(TransportErrorKind::Blocked, "by the plan"));
        }
        self.inner.send(request, timeout).await
    }

    fn now(&self) -> Duration {
        self.inner.now()
    }

    async fn sleep(&self, duration: Duration) {
        self.inner.sleep(duration).await;
    }
}
