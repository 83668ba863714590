//! The transport over `wasi:http` and `wasi:clocks`.
//!
//! A host may ignore the timeouts in a request's options, so every wait also ends at
//! the component's own deadline.

mod body;
mod error_codes;

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, StatusCode, header, uri::Scheme};
use sophos_api::{Transport, TransportError, TransportErrorKind};

#[cfg(feature = "webhook")]
pub(crate) use body::write_body;

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
pub(crate) struct HostTransport;

impl Transport for HostTransport {
    async fn send(
        &self,
        request: http::Request<Vec<u8>>,
        timeout: Duration,
    ) -> Result<http::Response<Bytes>, TransportError> {
        send_request(request, timeout)
    }

    #[cfg(not(feature = "webhook"))]
    fn now(&self) -> Duration {
        Duration::from_nanos(monotonic_clock::now())
    }

    // The ledger stores times that other instances compare.
    #[cfg(feature = "webhook")]
    fn now(&self) -> Duration {
        let now = wall_clock::now();
        Duration::new(now.seconds, now.nanoseconds.min(999_999_999))
    }

    async fn sleep(&self, duration: Duration) {
        monotonic_clock::subscribe_duration(nanoseconds(duration)).block();
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// The response headers that the client uses.
const RESPONSE_HEADERS: [HeaderName; 3] = [header::CONTENT_LENGTH, header::DATE, header::RETRY_AFTER];

/// The deadline of a request.
pub(crate) struct Deadline(Pollable);

impl Deadline {
    pub(crate) fn after(timeout: Duration) -> Self {
        Self(monotonic_clock::subscribe_duration(nanoseconds(timeout)))
    }

    /// Waits until `event` is ready.
    ///
    /// # Errors
    /// `Timeout` if the deadline comes first.
    pub(crate) fn wait_for(&self, event: &Pollable) -> Result<(), TransportError> {
        if poll(&[event, &self.0]).contains(&0) {
            return Ok(());
        }
        Err(TransportError::new(TransportErrorKind::Timeout, "the request's deadline expired"))
    }
}

fn unsendable_error<E>(part: &'static str) -> impl FnOnce(E) -> TransportError {
    move |_| TransportError::new(TransportErrorKind::InvalidRequest, format!("the host rejected its {part}"))
}

fn interrupted_error(reason: &'static str) -> TransportError {
    TransportError::new(TransportErrorKind::Interrupted, reason)
}

fn send_request(
    request: http::Request<Vec<u8>>,
    timeout: Duration,
) -> Result<http::Response<Bytes>, TransportError> {
    let deadline = Deadline::after(timeout);
    let (head, content) = request.into_parts();
    let outgoing = OutgoingRequest::new(request_headers(&head.headers, content.len())?);
    outgoing.set_method(&to_wasi_method(&head.method)).map_err(unsendable_error("method"))?;
    let scheme = if head.uri.scheme() == Some(&Scheme::HTTP) { WasiScheme::Http } else { WasiScheme::Https };
    outgoing.set_scheme(Some(&scheme)).map_err(unsendable_error("scheme"))?;
    let authority = head.uri.authority().map(http::uri::Authority::as_str);
    outgoing.set_authority(authority).map_err(unsendable_error("authority"))?;
    let path = head.uri.path_and_query().map(http::uri::PathAndQuery::as_str);
    outgoing.set_path_with_query(path).map_err(unsendable_error("path"))?;

    let to_write =
        if content.is_empty() { None } else { Some(outgoing.body().map_err(unsendable_error("body"))?) };
    let future = outgoing_handler::handle(outgoing, Some(request_options(timeout)))
        .map_err(error_codes::to_transport_error)?;
    if let Some(to_write) = to_write {
        body::write_body(to_write, &content, &deadline)?;
    }
    let ready = future.subscribe();
    deadline.wait_for(&ready)?;
    drop(ready);
    let incoming = match future.get() {
        Some(Ok(incoming)) => incoming.map_err(error_codes::to_transport_error)?,
        _ => return Err(interrupted_error("the host returned no response")),
    };

    let status =
        StatusCode::from_u16(incoming.status()).map_err(|_| interrupted_error("invalid HTTP status"))?;
    let mut response = http::Response::new(Bytes::new());
    *response.status_mut() = status;
    let headers = incoming.headers();
    for name in RESPONSE_HEADERS {
        let first = headers.get(name.as_str()).into_iter().next();
        if let Some(value) = first.and_then(|value| HeaderValue::try_from(value).ok()) {
            response.headers_mut().insert(name, value);
        }
    }
    drop(headers);
    let expected = response.headers().get(header::CONTENT_LENGTH);
    let expected = expected.and_then(|length| length.to_str().ok()?.parse().ok());
    let body = incoming.consume().map_err(|()| interrupted_error("the response has no body"))?;
    *response.body_mut() = body::read_body(&body, expected, &deadline)?.into();
    Ok(response)
}

/// Converts the headers and adds `content-length`. Without it the host sends chunks,
/// which some firewalls reject.
fn request_headers(headers: &http::HeaderMap, length: usize) -> Result<Fields, TransportError> {
    let fields = Fields::new();
    for (name, value) in headers {
        fields.append(name.as_str(), value.as_bytes()).map_err(unsendable_error("headers"))?;
    }
    if length > 0 {
        let length = length.to_string();
        fields
            .append(header::CONTENT_LENGTH.as_str(), length.as_bytes())
            .map_err(unsendable_error("headers"))?;
    }
    Ok(fields)
}

fn to_wasi_method(method: &http::Method) -> Method {
    match *method {
        http::Method::GET => Method::Get,
        http::Method::POST => Method::Post,
        http::Method::PATCH => Method::Patch,
        http::Method::DELETE => Method::Delete,
        ref other => Method::Other(other.as_str().to_owned()),
    }
}

/// Returns the timeouts, which the host may ignore.
///
/// There is no connect timeout. jco's keeps running while the service works and then
/// reports a failed connection, so a completed change would look unsent.
fn request_options(timeout: Duration) -> RequestOptions {
    let options = RequestOptions::new();
    let timeout = Some(nanoseconds(timeout));
    let _ = options.set_first_byte_timeout(timeout);
    let _ = options.set_between_bytes_timeout(timeout);
    options
}
