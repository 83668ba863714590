#[cfg(feature = "reqwest")]
mod reqwest;

use std::{error, fmt, sync::Arc, time::Duration};

use bytes::Bytes;

#[cfg(feature = "reqwest")]
pub use self::reqwest::ReqwestTransport;

/// The default limit of a response, in bytes: 6 MiB. A page of 1,000 events has
/// about half a MiB.
///
/// A program needs up to three times as much memory for each listing that it reads
/// concurrently: for the current page, the next one, and parsing. So four listings
/// fit into 128 MB, the least memory of an AWS Lambda function.
pub const DEFAULT_MAX_RESPONSE_LEN: usize = 6 << 20;

/// Access to HTTP, the clock and timers.
///
/// An implementation is reqwest on tokio, `wasi:http` in a component, or a script
/// with a manual clock in tests.
///
/// ```
/// use std::time::Duration;
///
/// use bytes::Bytes;
/// use sophos_api::{
///     AccessToken, ApiClient, Auth, Client, Transport, TransportError, models::Tenant,
///     operations::common::alerts::ListAlerts,
/// };
///
/// /// Returns the same page for each request.
/// struct OnePage;
///
/// impl Transport for OnePage {
///     async fn send(
///         &self,
///         _request: http::Request<Vec<u8>>,
///         _timeout: Duration,
///     ) -> Result<http::Response<Bytes>, TransportError> {
///         Ok(http::Response::new(Bytes::from_static(br#"{"items":[{"id":"1"}],"pages":{}}"#)))
///     }
///
///     fn now(&self) -> Duration {
///         Duration::ZERO
///     }
///
///     async fn sleep(&self, _duration: Duration) {}
/// }
///
/// let client = Client::builder(OnePage, Auth::from(AccessToken::new("a token"))).build();
/// let tenant: Tenant = serde_json::from_str(r#"{"id":"7","dataRegion":"eu01"}"#)?;
/// let alerts = ListAlerts::new();
/// let page = futures_executor::block_on(client.for_tenant(&tenant)?.send(&alerts))?;
/// assert_eq!(page.items.len(), 1);
/// assert_eq!(client.stats().api_requests, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Transport: Send + Sync + 'static {
    /// Sends `request` and reads the complete response within `timeout`.
    ///
    /// Any status is a response. An implementation must not follow redirects: they
    /// would carry the token to an unchecked host.
    ///
    /// # Errors
    /// See [`TransportErrorKind`]: there is no complete response.
    fn send(
        &self,
        request: http::Request<Vec<u8>>,
        timeout: Duration,
    ) -> impl Future<Output = Result<http::Response<Bytes>, TransportError>> + Send;

    /// The time since the Unix epoch. A host without a wall clock may count from any
    /// other fixed point: deadlines and rate limits need no more.
    fn now(&self) -> Duration;

    /// Waits for this time.
    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send;
}

impl<T: Transport> Transport for Arc<T> {
    fn send(
        &self,
        request: http::Request<Vec<u8>>,
        timeout: Duration,
    ) -> impl Future<Output = Result<http::Response<Bytes>, TransportError>> + Send {
        T::send(self, request, timeout)
    }

    fn now(&self) -> Duration {
        T::now(self)
    }

    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send {
        T::sleep(self, duration)
    }
}

/// The class of a transport failure. It decides whether a retry is safe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TransportErrorKind {
    /// There was no connection: the service has not received the request.
    Connect,
    /// The time limit passed. The service may have executed the request.
    Timeout,
    /// The connection broke before the response was complete. The service may have
    /// executed the request.
    Interrupted,
    /// The response is larger than the transport accepts.
    TooLarge,
    /// The transport does not support the encoding of the response, such as a
    /// compression.
    UnsupportedEncoding,
    /// The request cannot be sent; a retry would fail again.
    InvalidRequest,
    /// A rule of the host of this program blocks the destination of the request.
    Blocked,
}

/// An attempt without a complete response.
///
/// ```
/// use sophos_api::{TransportError, TransportErrorKind};
///
/// let error = TransportError::new(TransportErrorKind::Connect, "connection refused");
/// assert_eq!(error.to_string(), "no connection: connection refused");
/// ```
#[derive(Debug)]
pub struct TransportError {
    kind: TransportErrorKind,
    source: Box<dyn error::Error + Send + Sync>,
}

impl TransportError {
    /// A failure of this kind, with its cause.
    pub fn new(kind: TransportErrorKind, source: impl Into<Box<dyn error::Error + Send + Sync>>) -> Self {
        Self { kind, source: source.into() }
    }

    /// The class of the failure.
    pub fn kind(&self) -> TransportErrorKind {
        self.kind
    }

    /// The texts of the cause and of each cause behind it.
    pub(crate) fn cause(&self) -> String {
        let first: &dyn error::Error = self.source.as_ref();
        let chain = std::iter::successors(Some(first), |error| error.source());
        chain.map(ToString::to_string).collect::<Vec<_>>().join(": ")
    }
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            TransportErrorKind::Connect => "no connection",
            TransportErrorKind::Timeout => "no response in time",
            TransportErrorKind::Interrupted => "the connection broke",
            TransportErrorKind::TooLarge => "the response is too large",
            TransportErrorKind::UnsupportedEncoding => "the response is unreadable",
            TransportErrorKind::InvalidRequest => "the request could not be sent",
            TransportErrorKind::Blocked => "the request was blocked",
        };
        write!(f, "{kind}: {}", self.cause())
    }
}

impl error::Error for TransportError {}
