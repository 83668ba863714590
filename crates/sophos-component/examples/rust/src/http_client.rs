//! The HTTP client of components: pooled connections to allowed hosts.
//!
//! It serves `wasi:http` and the embedded worlds' `transport`. It replaces wasmtime's
//! client, which opens one connection per request and trusts only Mozilla's roots.

use std::{sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, Full};
use reqwest::redirect::Policy;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

use crate::bindings::sophos::central::transport::{Request, Response, TransportError};

/// The maximum length of a response, in bytes. A page of 1,000 events has about half a
/// megabyte.
const MAX_RESPONSE_LEN: usize = 64 << 20;

/// The maximum duration of a request without a timeout of its own.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(60);

/// The maximum time to connect.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// An HTTP client with an allow-list of hosts. A clone shares the connections.
#[derive(Clone)]
pub struct AllowedHttp {
    http: reqwest::Client,
    is_allowed: Arc<dyn Fn(&str) -> bool + Send + Sync>,
}

impl AllowedHttp {
    /// Returns a client for hosts under `sophos.com`. It uses the platform's root
    /// certificates, or those of `SSL_CERT_FILE`, and the proxy of `HTTPS_PROXY`.
    ///
    /// # Errors
    /// If there are no root certificates.
    pub fn to_sophos() -> reqwest::Result<Self> {
        Self::new(reqwest::Client::builder(), |host| host.ends_with(".sophos.com"))
    }

    /// Returns a client with other settings, such as a company's CA certificate, for the
    /// hosts that `allowed` accepts. It never follows redirects, which would send the
    /// token to an unchecked host.
    ///
    /// # Errors
    /// If the settings are invalid.
    pub fn new(
        settings: reqwest::ClientBuilder,
        allowed: impl Fn(&str) -> bool + Send + Sync + 'static,
    ) -> reqwest::Result<Self> {
        let http =
            settings.redirect(Policy::none()).connect_timeout(CONNECT_TIMEOUT).tcp_nodelay(true).build()?;
        Ok(Self { http, is_allowed: Arc::new(allowed) })
    }

    /// Sends a request and returns the whole response.
    async fn send(
        &self,
        request: http::Request<Bytes>,
        timeout: Duration,
    ) -> Result<http::Response<Bytes>, TransportError> {
        let host = request.uri().host().unwrap_or_default();
        if !(self.is_allowed)(host) {
            return Err(TransportError::Blocked(format!("the destination {host} is not allowed")));
        }
        let mut request = reqwest::Request::try_from(request).map_err(to_transport_error)?;
        *request.timeout_mut() = Some(timeout);
        let mut response = self.http.execute(request).await.map_err(to_transport_error)?;

        let expected = response.content_length().unwrap_or(0).min(MAX_RESPONSE_LEN as u64);
        let mut body = BytesMut::with_capacity(expected as usize);
        while let Some(chunk) = response.chunk().await.map_err(to_transport_error)? {
            if body.len() + chunk.len() > MAX_RESPONSE_LEN {
                return Err(TransportError::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        let mut whole = http::Response::new(body.freeze());
        *whole.status_mut() = response.status();
        *whole.headers_mut() = std::mem::take(response.headers_mut());
        Ok(whole)
    }

    /// Sends a request of an embedded world.
    pub(crate) async fn send_embedded(&self, request: Request) -> Result<Response, TransportError> {
        let mut builder = http::Request::builder().method(request.method.as_str()).uri(request.url);
        for (name, value) in request.headers {
            builder = builder.header(name, value);
        }
        let invalid = |error: http::Error| TransportError::Blocked(format!("invalid request: {error}"));
        let timeout = Duration::from_millis(request.timeout_ms.into());
        let response = self.send(builder.body(request.body.into()).map_err(invalid)?, timeout).await?;
        let to_pair = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
            Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
        };
        Ok(Response {
            status: response.status().as_u16(),
            headers: response.headers().iter().filter_map(to_pair).collect(),
            body: response.into_body().into(),
        })
    }
}

fn to_transport_error(error: reqwest::Error) -> TransportError {
    // The URL may contain a cursor or a search term.
    let error = error.without_url();
    if error.is_timeout() && !error.is_connect() {
        return TransportError::TimedOut;
    }
    let sources = std::iter::successors(std::error::Error::source(&error), |source| source.source());
    let cause = sources.last().map_or_else(|| error.to_string(), ToString::to_string);
    if error.is_connect() { TransportError::Unreachable(cause) } else { TransportError::Interrupted(cause) }
}

type SendResult<T> = Result<T, Error>;
type IoFuture = Box<dyn Future<Output = SendResult<()>> + Send>;

/// Sends a request of `wasi:http`.
impl WasiHttpHooks for AllowedHttp {
    fn set_host_header(&mut self) -> bool {
        // reqwest sets it.
        false
    }

    fn send_request(
        &mut self,
        request: http::Request<WasiBody>,
        options: Option<RequestOptions>,
        _: IoFuture,
    ) -> Box<dyn Future<Output = SendResult<(http::Response<WasiBody>, IoFuture)>> + Send> {
        let requests = self.clone();
        // The component sets the same timeout for each phase and means the whole request.
        let timeout = options.and_then(|options| options.first_byte_timeout).unwrap_or(DEFAULT_TIMEOUT);
        Box::new(async move {
            let (head, body) = request.into_parts();
            let body = body.collect().await?.to_bytes();
            let response = requests.send(http::Request::from_parts(head, body), timeout).await;
            let response = response
                .map_err(to_error_code)?
                .map(|body| Full::new(body).map_err(Error::from).boxed_unsync());
            Ok((response, Box::new(async { Ok(()) }) as IoFuture))
        })
    }
}

fn to_error_code(error: TransportError) -> Error {
    match error {
        TransportError::Blocked(_) => Error::HttpRequestDenied,
        TransportError::Unreachable(_) => Error::DestinationUnavailable,
        TransportError::TimedOut => Error::HttpResponseTimeout,
        TransportError::TooLarge => Error::HttpResponseBodySize(Some(MAX_RESPONSE_LEN as u64)),
        TransportError::Interrupted(cause) => Error::InternalError(Some(cause)),
    }
}
