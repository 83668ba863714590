//! The native transport: reqwest (rustls) on tokio.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::{Bytes, BytesMut};
use reqwest::{
    header::{CONTENT_ENCODING, HeaderMap},
    redirect::Policy,
};

use crate::{DEFAULT_MAX_RESPONSE_LEN, Transport, TransportError, TransportErrorKind};

/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// HTTP over pooled connections, with the platform's root certificates
/// (`SSL_CERT_FILE` names others).
///
/// Follows no redirect, keeps no cookie, and asks for no compression. An answer is
/// read up to [`DEFAULT_MAX_RESPONSE_LEN`], or what
/// [`with_max_response_len`](Self::with_max_response_len) says.
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
    /// A transport with its own pool of connections.
    ///
    /// # Errors
    /// When TLS cannot be set up, for want of root certificates.
    pub fn new() -> Result<Self, TransportError> {
        Self::from_builder(reqwest::Client::builder())
    }

    /// A transport with settings of its own: a proxy, further root
    /// certificates, a user agent. Redirects stay off whatever they say.
    ///
    /// # Errors
    /// When the settings do not go together.
    pub fn from_builder(builder: reqwest::ClientBuilder) -> Result<Self, TransportError> {
        let http = builder
            .redirect(Policy::none())
            // Another crate of the program may have these compiled in. What is
            // compressed is small on the way and has no bound here.
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

    /// The same, which reads answers of up to so many bytes. A longer one fails with
    /// [`TransportErrorKind::TooLarge`] as soon as that is known.
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
        let most = self.max_response_len;
        let expected = response.content_length().unwrap_or(0);
        let expected = usize::try_from(expected).ok().filter(|expected| *expected <= most);
        let mut body = BytesMut::with_capacity(expected.ok_or_else(|| response_too_large(most))?);
        while let Some(chunk) = response.chunk().await.map_err(to_transport_error)? {
            let length = body.len() + chunk.len();
            if length > most {
                return Err(response_too_large(most));
            }
            if length > body.capacity() {
                // Doubled, but not beyond what may come.
                body.reserve((2 * length).min(most) - body.len());
            }
            body.extend_from_slice(&chunk);
        }
        let mut answer = http::Response::new(body.freeze());
        *answer.status_mut() = response.status();
        *answer.headers_mut() = std::mem::take(response.headers_mut());
        Ok(answer)
    }

    fn now(&self) -> Duration {
        SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

fn response_too_large(limit: usize) -> TransportError {
    let why = format!("it has more than {limit} bytes; raise the limit of the transport if it is genuine");
    TransportError::new(TransportErrorKind::TooLarge, why)
}

/// Refuses an answer that is compressed, which no request asks for.
fn check_content_encoding(headers: &HeaderMap) -> Result<(), TransportError> {
    let Some(encoding) = headers.get(CONTENT_ENCODING) else { return Ok(()) };
    if encoding.as_bytes().eq_ignore_ascii_case(b"identity") {
        return Ok(());
    }
    let why = "it is compressed, and no compression was asked for; check what is before the service";
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
    // The address may carry a cursor or a customer's search term.
    TransportError::new(kind, error.without_url())
}
