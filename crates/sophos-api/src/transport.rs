use std::{error, fmt, sync::Arc, time::Duration};

use bytes::Bytes;

/// The longest answer that a transport reads unless it is set otherwise, in bytes: 6
/// MiB. A page of 1,000 events has about half a MiB.
///
/// A program needs up to three times as much memory for each listing that it reads
/// at once: for the page in work, for the one that follows, and for reading it. So
/// four fit into the least memory that AWS Lambda has, 128 MB.
pub const DEFAULT_MAX_RESPONSE_LEN: usize = 6 << 20;

/// The only door to the world: HTTP, the time, and waiting.
///
/// Natively this is reqwest on tokio, in a component `wasi:http`, in tests a
/// script with a clock that is turned by hand.
pub trait Transport: Send + Sync {
    /// Sends `request` and reads the whole answer, within `timeout`.
    ///
    /// Any status is an answer; an error means that none came. An
    /// implementation follows no redirect: a redirect would carry the token to
    /// a host that nobody checked.
    fn send(
        &self,
        request: http::Request<Vec<u8>>,
        timeout: Duration,
    ) -> impl Future<Output = Result<http::Response<Bytes>, TransportError>> + Send;

    /// The time since the Unix epoch. A host without a wall clock may count
    /// from any other fixed point; deadlines and budgets need nothing more.
    fn now(&self) -> Duration;

    /// Waits.
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

/// Why no answer came, as far as it matters to whether one may ask again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TransportErrorKind {
    /// No connection was made: the service has not seen the request.
    Connect,
    /// The time was up. The service may have carried out the request.
    Timeout,
    /// The connection broke before the answer was complete. The service may
    /// have carried out the request.
    Interrupted,
    /// The answer is larger than the transport accepts.
    TooLarge,
    /// The answer is in a form that the transport does not read, such as a
    /// compressed one.
    UnsupportedEncoding,
    /// The request could not be sent at all, and would fail again.
    InvalidRequest,
    /// Whoever runs the program does not let the request out, by a rule about
    /// where it may go.
    Blocked,
}

/// A failure to get an answer.
#[derive(Debug)]
pub struct TransportError {
    kind: TransportErrorKind,
    source: Box<dyn error::Error + Send + Sync>,
}

impl TransportError {
    /// A failure of this kind, with what caused it.
    pub fn new(kind: TransportErrorKind, source: impl Into<Box<dyn error::Error + Send + Sync>>) -> Self {
        Self { kind, source: source.into() }
    }

    /// Why no answer came.
    pub fn kind(&self) -> TransportErrorKind {
        self.kind
    }
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            TransportErrorKind::Connect => "no connection",
            TransportErrorKind::Timeout => "no answer in time",
            TransportErrorKind::Interrupted => "the connection broke",
            TransportErrorKind::TooLarge => "the answer is too large",
            TransportErrorKind::UnsupportedEncoding => "the answer is unreadable",
            TransportErrorKind::InvalidRequest => "the request could not be sent",
            TransportErrorKind::Blocked => "the request was not let out",
        })?;
        let mut cause: Option<&dyn error::Error> = Some(self.source.as_ref());
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

impl error::Error for TransportError {}
