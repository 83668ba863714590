//! The requests that a component asks for: over kept connections, to hosts that it
//! may reach.
//!
//! The same for `wasi:http` and for the embedded worlds' own transport. In place of
//! wasmtime's own client, which makes a connection for each request and knows no
//! root certificates but Mozilla's.

use std::{sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, Full};
use reqwest::redirect::Policy;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

use crate::bindings::sophos::central::transport::{Request, Response, TransportError};

/// The largest answer that is read. A page of 1,000 events is about half a
/// megabyte.
const MAX_RESPONSE_LEN: usize = 64 << 20;

/// The most that a request may take if the component does not say.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(60);

/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// HTTP to the hosts that are let through. A clone shares the connections.
#[derive(Clone)]
pub struct AllowedHttp {
    http: reqwest::Client,
    is_allowed: Arc<dyn Fn(&str) -> bool + Send + Sync>,
}

impl AllowedHttp {
    /// To Sophos alone: hosts under `sophos.com`, with the platform's root
    /// certificates (`SSL_CERT_FILE` names others) and the proxy of `HTTPS_PROXY`.
    ///
    /// # Errors
    /// When TLS cannot be set up, for want of root certificates.
    pub fn to_sophos() -> reqwest::Result<Self> {
        Self::new(reqwest::Client::builder(), |host| host.ends_with(".sophos.com"))
    }

    /// With settings of your own, such as a company's certificates, to the hosts
    /// for which `allowed` says so. Follows no redirect, whatever the settings are:
    /// it would carry the token to a host that nobody asked about.
    ///
    /// # Errors
    /// When the settings do not go together.
    pub fn new(
        settings: reqwest::ClientBuilder,
        allowed: impl Fn(&str) -> bool + Send + Sync + 'static,
    ) -> reqwest::Result<Self> {
        let http =
            settings.redirect(Policy::none()).connect_timeout(CONNECT_TIMEOUT).tcp_nodelay(true).build()?;
        Ok(Self { http, is_allowed: Arc::new(allowed) })
    }

    /// Sends a request and reads the whole answer.
    async fn send(
        &self,
        request: http::Request<Bytes>,
        timeout: Duration,
    ) -> Result<http::Response<Bytes>, TransportError> {
        let host = request.uri().host().unwrap_or_default();
        if !(self.is_allowed)(host) {
            return Err(TransportError::Blocked(format!("this program may not reach the host `{host}`")));
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
        let mut answer = http::Response::new(body.freeze());
        *answer.status_mut() = response.status();
        *answer.headers_mut() = std::mem::take(response.headers_mut());
        Ok(answer)
    }

    /// Carries a request of an embedded world.
    pub(crate) async fn send_embedded(&self, request: Request) -> Result<Response, TransportError> {
        let mut builder = http::Request::builder().method(request.method.as_str()).uri(request.url);
        for (name, value) in request.headers {
            builder = builder.header(name, value);
        }
        let unsendable = |error: http::Error| TransportError::Blocked(format!("this is no request: {error}"));
        let timeout = Duration::from_millis(request.timeout_ms.into());
        let answer = self.send(builder.body(request.body.into()).map_err(unsendable)?, timeout).await?;
        let text = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
            Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
        };
        Ok(Response {
            status: answer.status().as_u16(),
            headers: answer.headers().iter().filter_map(text).collect(),
            body: answer.into_body().into(),
        })
    }
}

fn to_transport_error(error: reqwest::Error) -> TransportError {
    // The address may carry a cursor or a customer's search term.
    let error = error.without_url();
    if error.is_timeout() && !error.is_connect() {
        return TransportError::TimedOut;
    }
    let reasons = std::iter::successors(std::error::Error::source(&error), |reason| reason.source());
    let why = reasons.last().map_or_else(|| error.to_string(), ToString::to_string);
    if error.is_connect() { TransportError::Unreachable(why) } else { TransportError::Interrupted(why) }
}

type SendResult<T> = Result<T, Error>;
type IoFuture = Box<dyn Future<Output = SendResult<()>> + Send>;

/// Carries a request of `wasi:http`.
impl WasiHttpHooks for AllowedHttp {
    fn set_host_header(&mut self) -> bool {
        // The client does, as the version of HTTP wants it.
        false
    }

    fn send_request(
        &mut self,
        request: http::Request<WasiBody>,
        options: Option<RequestOptions>,
        _: IoFuture,
    ) -> Box<dyn Future<Output = SendResult<(http::Response<WasiBody>, IoFuture)>> + Send> {
        let requests = self.clone();
        // The component says the same for each part of an exchange: it means the whole.
        let timeout = options.and_then(|options| options.first_byte_timeout).unwrap_or(DEFAULT_TIMEOUT);
        Box::new(async move {
            let (head, body) = request.into_parts();
            let body = body.collect().await?.to_bytes();
            let answer = requests.send(http::Request::from_parts(head, body), timeout).await;
            let answer = answer
                .map_err(to_error_code)?
                .map(|body| Full::new(body).map_err(Error::from).boxed_unsync());
            Ok((answer, Box::new(async { Ok(()) }) as IoFuture))
        })
    }
}

fn to_error_code(error: TransportError) -> Error {
    match error {
        TransportError::Blocked(_) => Error::HttpRequestDenied,
        TransportError::Unreachable(_) => Error::DestinationUnavailable,
        TransportError::TimedOut => Error::HttpResponseTimeout,
        TransportError::TooLarge => Error::HttpResponseBodySize(Some(MAX_RESPONSE_LEN as u64)),
        TransportError::Interrupted(why) => Error::InternalError(Some(why)),
    }
}
