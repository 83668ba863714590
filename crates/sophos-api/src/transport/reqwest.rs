//! The native transport: reqwest (rustls) on tokio.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::{Bytes, BytesMut};
use reqwest::{
    header::{CONTENT_ENCODING, HeaderMap},
    redirect::Policy,
};

use crate::{DEFAULT_MAX_RESPONSE_LEN, Transport, TransportError, TransportErrorKind};

/// The time limit for connecting.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// HTTP over pooled connections, with the root certificates of the platform or of
/// `SSL_CERT_FILE`.
///
/// It follows no redirects, stores no cookies, and accepts no compression. It reads
/// responses up to [`DEFAULT_MAX_RESPONSE_LEN`], or up to the limit of
/// [`with_max_response_len`](Self::with_max_response_len).
///
/// ```no_run
/// use sophos_api::{Client, Credentials, ReqwestTransport};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let credentials = Credentials::new("client id", "client secret");
/// let client = Client::builder(ReqwestTransport::new()?, credentials).build();
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct ReqwestTransport {
    http: reqwest::Client,
    max_response_len: usize,
}

impl ReqwestTransport {
    /// A transport with its own connection pool.
    ///
    /// # Errors
    /// TLS cannot be set up: there are no root certificates.
    pub fn new() -> Result<Self, TransportError> {
        Self::from_builder(reqwest::Client::builder())
    }

    /// A transport with other settings, such as a proxy, more root certificates, or a
    /// user agent. Redirects stay off.
    ///
    /// # Errors
    /// The settings conflict.
    pub fn from_builder(builder: reqwest::ClientBuilder) -> Result<Self, TransportError> {
        let http = builder
            .redirect(Policy::none())
            // Another crate of the program may enable these features. A compressed
            // response would escape the limit.
            .no_gzip()
            .no_brotli()
            .no_deflate()
            .no_zstd()
            .connect_timeout(CONNECT_TIMEOUT)
            .tcp_nodelay(true)
            .build()
            .map_err(|error| TransportError::new(TransportErrorKind::InvalidRequest, error))?;
        Ok(Self { http, max_response_len: DEFAULT_MAX_RESPONSE_LEN })
    }

    /// Sets the limit of a response, in bytes. A longer one fails with
    /// [`TransportErrorKind::TooLarge`] as soon as its length is known.
    #[must_use]
    pub fn with_max_response_len(mut self, bytes: usize) -> Self {
        self.max_response_len = bytes;
        self
    }
}

impl Transport for ReqwestTransport {
    async fn send(
        &self,
        request: http::Request<Vec<u8>>,
        timeout: Duration,
    ) -> Result<http::Response<Bytes>, TransportError> {
        let mut request = reqwest::Request::try_from(request)
            .map_err(|error| TransportError::new(TransportErrorKind::InvalidRequest, error))?;
        *request.timeout_mut() = Some(timeout);
        let mut response = self.http.execute(request).await.map_err(to_transport_error)?;

        check_content_encoding(response.headers())?;
        let limit = self.max_response_len;
        let expected = response.content_length().unwrap_or(0);
        let expected = usize::try_from(expected).ok().filter(|expected| *expected <= limit);
        let mut body = BytesMut::with_capacity(expected.ok_or_else(|| response_too_large(limit))?);
        while let Some(chunk) = response.chunk().await.map_err(to_transport_error)? {
            let length = body.len() + chunk.len();
            if length > limit {
                return Err(response_too_large(limit));
            }
            if length > body.capacity() {
                // Doubled, but not beyond the limit.
                body.reserve((2 * length).min(limit) - body.len());
            }
            body.extend_from_slice(&chunk);
        }
        let mut complete = http::Response::new(body.freeze());
        *complete.status_mut() = response.status();
        *complete.headers_mut() = std::mem::take(response.headers_mut());
        Ok(complete)
    }

    fn now(&self) -> Duration {
        SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

fn response_too_large(limit: usize) -> TransportError {
    let why = format!("more than {limit} bytes; raise the limit of the transport if the response is genuine");
    TransportError::new(TransportErrorKind::TooLarge, why)
}

/// Rejects a compressed response, which no request accepts.
fn check_content_encoding(headers: &HeaderMap) -> Result<(), TransportError> {
    let Some(encoding) = headers.get(CONTENT_ENCODING) else { return Ok(()) };
    if encoding.as_bytes().eq_ignore_ascii_case(b"identity") {
        return Ok(());
    }
    let why = "unexpected compression; check the gateways between this program and the service";
    Err(TransportError::new(TransportErrorKind::UnsupportedEncoding, why))
}

fn to_transport_error(error: reqwest::Error) -> TransportError {
    let kind = if error.is_builder() {
        TransportErrorKind::InvalidRequest
    } else if error.is_connect() {
        TransportErrorKind::Connect
    } else if error.is_timeout() {
        TransportErrorKind::Timeout
    } else {
        TransportErrorKind::Interrupted
    };
    // The URL may hold a cursor or a customer's search term.
    TransportError::new(kind, error.without_url())
}
