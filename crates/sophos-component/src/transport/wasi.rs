//! HTTP over `wasi:http`, time over `wasi:clocks`.
//!
//! The options of a request bound its time only if the host heeds them, so each
//! wait ends with a deadline of its own.

mod body;
mod codes;

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, StatusCode, header, uri::Scheme};
use sophos_api::{Transport, TransportError, TransportErrorKind};

#[cfg(feature = "webhook")]
pub(crate) use body::write;

#[cfg(feature = "webhook")]
use crate::bindings::wasi::clocks::wall_clock;
use crate::bindings::wasi::{
    clocks::monotonic_clock,
    http::{
        outgoing_handler,
        types::{Fields, Method, OutgoingRequest, RequestOptions, Scheme as WasiScheme},
    },
    io::poll::{Pollable, poll},
};

/// The imported `wasi:http` and `wasi:clocks`.
#[derive(Debug, Default)]
pub(crate) struct Outbound;

impl Transport for Outbound {
    async fn send(
        &self,
        request: http::Request<Vec<u8>>,
        timeout: Duration,
    ) -> Result<http::Response<Bytes>, TransportError> {
        exchange(request, timeout)
    }

    #[cfg(not(feature = "webhook"))]
    fn now(&self) -> Duration {
        Duration::from_nanos(monotonic_clock::now())
    }

    // What is kept in a ledger is compared by others, later.
    #[cfg(feature = "webhook")]
    fn now(&self) -> Duration {
        let now = wall_clock::now();
        Duration::new(now.seconds, now.nanoseconds.min(999_999_999))
    }

    async fn sleep(&self, duration: Duration) {
        monotonic_clock::subscribe_duration(nanoseconds(duration)).block();
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// Those of an answer's headers that the client reads.
const READ_HEADERS: [HeaderName; 3] = [header::CONTENT_LENGTH, header::DATE, header::RETRY_AFTER];

/// When a request must be over.
pub(crate) struct Deadline(Pollable);

impl Deadline {
    pub(crate) fn after(timeout: Duration) -> Self {
        Self(monotonic_clock::subscribe_duration(nanoseconds(timeout)))
    }

    /// Waits until `event` is there.
    ///
    /// # Errors
    /// `Timeout` when the time is over before.
    pub(crate) fn wait(&self, event: &Pollable) -> Result<(), TransportError> {
        if poll(&[event, &self.0]).contains(&0) {
            return Ok(());
        }
        Err(TransportError::new(TransportErrorKind::Timeout, "the time for the request was over"))
    }
}

fn unsendable<E>(what: &'static str) -> impl FnOnce(E) -> TransportError {
    move |_| TransportError::new(TransportErrorKind::Unsendable, format!("the host refuses its {what}"))
}

fn interrupted(why: &'static str) -> TransportError {
    TransportError::new(TransportErrorKind::Interrupted, why)
}

fn exchange(
    request: http::Request<Vec<u8>>,
    timeout: Duration,
) -> Result<http::Response<Bytes>, TransportError> {
    let deadline = Deadline::after(timeout);
    let (head, content) = request.into_parts();
    let outgoing = OutgoingRequest::new(fields(&head.headers, content.len())?);
    outgoing.set_method(&method(&head.method)).map_err(unsendable("method"))?;
    let scheme = if head.uri.scheme() == Some(&Scheme::HTTP) { WasiScheme::Http } else { WasiScheme::Https };
    outgoing.set_scheme(Some(&scheme)).map_err(unsendable("scheme"))?;
    let authority = head.uri.authority().map(http::uri::Authority::as_str);
    outgoing.set_authority(authority).map_err(unsendable("authority"))?;
    let path = head.uri.path_and_query().map(http::uri::PathAndQuery::as_str);
    outgoing.set_path_with_query(path).map_err(unsendable("path"))?;

    let to_write = if content.is_empty() { None } else { Some(outgoing.body().map_err(unsendable("body"))?) };
    let future = outgoing_handler::handle(outgoing, Some(options(timeout))).map_err(codes::failure)?;
    if let Some(to_write) = to_write {
        body::write(to_write, &content, &deadline)?;
    }
    let answered = future.subscribe();
    deadline.wait(&answered)?;
    drop(answered);
    let answer = match future.get() {
        Some(Ok(answer)) => answer.map_err(codes::failure)?,
        _ => return Err(interrupted("the host has no answer")),
    };

    let status = StatusCode::from_u16(answer.status()).map_err(|_| interrupted("a status that is none"))?;
    let mut response = http::Response::new(Bytes::new());
    *response.status_mut() = status;
    let headers = answer.headers();
    for name in READ_HEADERS {
        let first = headers.get(name.as_str()).into_iter().next();
        if let Some(value) = first.and_then(|value| HeaderValue::try_from(value).ok()) {
            response.headers_mut().insert(name, value);
        }
    }
    drop(headers);
    let expected = response.headers().get(header::CONTENT_LENGTH);
    let expected = expected.and_then(|length| length.to_str().ok()?.parse().ok());
    let incoming = answer.consume().map_err(|()| interrupted("the answer has no body"))?;
    *response.body_mut() = body::read(&incoming, expected, &deadline)?.into();
    Ok(response)
}

/// The headers, with the length: without it the host sends chunks, which not
/// every firewall lets through.
fn fields(headers: &http::HeaderMap, length: usize) -> Result<Fields, TransportError> {
    let fields = Fields::new();
    for (name, value) in headers {
        fields.append(name.as_str(), value.as_bytes()).map_err(unsendable("headers"))?;
    }
    if length > 0 {
        let length = length.to_string();
        fields.append(header::CONTENT_LENGTH.as_str(), length.as_bytes()).map_err(unsendable("headers"))?;
    }
    Ok(fields)
}

fn method(method: &http::Method) -> Method {
    match *method {
        http::Method::GET => Method::Get,
        http::Method::POST => Method::Post,
        http::Method::PATCH => Method::Patch,
        http::Method::DELETE => Method::Delete,
        ref other => Method::Other(other.as_str().to_owned()),
    }
}

/// The time as the host may heed it; it is not asked to. None for the connection
/// alone: jco lets it run on while the service works, and then says that there was no
/// connection, so that a change which was made would be taken for one that never left.
fn options(timeout: Duration) -> RequestOptions {
    let options = RequestOptions::new();
    let timeout = Some(nanoseconds(timeout));
    let _ = options.set_first_byte_timeout(timeout);
    let _ = options.set_between_bytes_timeout(timeout);
    options
}
