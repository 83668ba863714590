//! A transport that caches every response, so that only the client's own work remains.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use bytes::Bytes;
use central_host::bindings::sophos::central::{
    credentials::{self, Access, RequestReason},
    transport::{self, TransportError as HostError},
};
use sophos_api::{ReqwestTransport, Transport, TransportError};

/// A cache that its clones share.
#[derive(Clone)]
pub(crate) struct CachedTransport {
    inner: ReqwestTransport,
    responses: Arc<Mutex<HashMap<String, http::Response<Bytes>>>>,
    started_at: Instant,
    access: Access,
}

impl CachedTransport {
    pub(crate) fn new(real: ReqwestTransport, access: Access) -> Self {
        Self { inner: real, responses: Arc::default(), started_at: Instant::now(), access }
    }

    fn cached(&self, key: &str) -> Option<http::Response<Bytes>> {
        self.responses.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
    }

    /// The length of the largest response, in bytes.
    pub(crate) fn max_response_len(&self) -> usize {
        let answers = self.responses.lock().unwrap_or_else(PoisonError::into_inner);
        answers.values().map(|answer| answer.body().len()).max().unwrap_or(0)
    }
}

impl Transport for CachedTransport {
    async fn send(
        &self,
        request: http::Request<Vec<u8>>,
        timeout: Duration,
    ) -> Result<http::Response<Bytes>, TransportError> {
        let key = format!("{} {}", request.method(), request.uri());
        if let Some(answer) = self.cached(&key) {
            return Ok(answer);
        }
        let answer = self.inner.send(request, timeout).await?;
        self.responses.lock().unwrap_or_else(PoisonError::into_inner).insert(key, answer.clone());
        Ok(answer)
    }

    fn now(&self) -> Duration {
        self.started_at.elapsed()
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

impl credentials::Host for CachedTransport {
    async fn obtain(&mut self, _: RequestReason) -> Result<Access, String> {
        Ok(self.access.clone())
    }
}

impl transport::Host for CachedTransport {
    async fn send(&mut self, request: transport::Request) -> Result<transport::Response, HostError> {
        let fault = |error: &dyn std::fmt::Display| HostError::Interrupted(error.to_string());
        let mut builder = http::Request::builder().method(request.method.as_str()).uri(request.url);
        for (name, value) in request.headers {
            builder = builder.header(name, value);
        }
        let timeout = Duration::from_millis(request.timeout_ms.into());
        let sent = builder.body(request.body).map_err(|error| fault(&error))?;
        let answer = Transport::send(self, sent, timeout).await.map_err(|error| fault(&error))?;
        let text = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
            Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
        };
        Ok(transport::Response {
            status: answer.status().as_u16(),
            headers: answer.headers().iter().filter_map(text).collect(),
            body: answer.into_body().to_vec(),
        })
    }

    fn now_ms(&mut self) -> u64 {
        self.started_at.elapsed().as_millis().try_into().unwrap_or(u64::MAX)
    }

    async fn wait(&mut self, milliseconds: u32) {
        tokio::time::sleep(Duration::from_millis(milliseconds.into())).await;
    }
}
