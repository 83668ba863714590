//! The native transport of [`sophos_api`]: reqwest (rustls) on tokio.
//!
//! ```no_run
//! use sophos_api::{Client, Credentials};
//! use sophos_api_reqwest::ReqwestTransport;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let credentials = Credentials::new("client id", "client secret");
//! let client = Client::builder(ReqwestTransport::new()?, credentials).build();
//! # Ok(())
//! # }
//! ```

#![deny(missing_docs)]

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::{Bytes, BytesMut};
use reqwest::redirect::Policy;
use sophos_api::{Transport, TransportError, TransportErrorKind};

/// The largest answer that is read. A page of 1,000 events is about half a
/// megabyte; something larger than this is not the API speaking.
const LARGEST_ANSWER: usize = 64 << 20;

/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// HTTP over pooled connections, with the platform's root certificates
/// (`SSL_CERT_FILE` names others).
///
/// Follows no redirect, and keeps no cookie.
#[derive(Debug, Clone)]
pub struct ReqwestTransport {
    http: reqwest::Client,
}

impl ReqwestTransport {
    /// A transport with its own pool of connections.
    ///
    /// # Errors
    /// When TLS cannot be set up, for want of root certificates.
    pub fn new() -> Result<Self, TransportError> {
        Self::configured(reqwest::Client::builder())
    }

    /// A transport with settings of its own: a proxy, further root
    /// certificates, a user agent. Redirects stay off whatever they say.
    ///
    /// # Errors
    /// When the settings do not go together.
    pub fn configured(settings: reqwest::ClientBuilder) -> Result<Self, TransportError> {
        let http = settings
            .redirect(Policy::none())
            .connect_timeout(CONNECT_TIMEOUT)
            .tcp_nodelay(true)
            .build()
            .map_err(|error| TransportError::new(TransportErrorKind::Unsendable, error))?;
        Ok(Self { http })
    }
}

impl Transport for ReqwestTransport {
    async fn send(
        &self,
        request: http::Request<Vec<u8>>,
        timeout: Duration,
    ) -> Result<http::Response<Bytes>, TransportError> {
        let mut request = reqwest::Request::try_from(request)
            .map_err(|error| TransportError::new(TransportErrorKind::Unsendable, error))?;
        *request.timeout_mut() = Some(timeout);
        let mut response = self.http.execute(request).await.map_err(classify)?;

        let expected = response.content_length().unwrap_or(0).min(LARGEST_ANSWER as u64);
        let mut body = BytesMut::with_capacity(expected as usize);
        while let Some(chunk) = response.chunk().await.map_err(classify)? {
            if body.len() + chunk.len() > LARGEST_ANSWER {
                let why = format!("more than {LARGEST_ANSWER} bytes");
                return Err(TransportError::new(TransportErrorKind::TooLarge, why));
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

fn classify(error: reqwest::Error) -> TransportError {
    let kind = if error.is_builder() {
        TransportErrorKind::Unsendable
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
