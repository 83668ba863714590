//! The transport over the imported `transport`.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue};
use sophos_api::{Transport, TransportError, TransportErrorKind};

use super::check_response_len;
use crate::bindings::sophos::central::transport::{self, Request, TransportError as HostError};

/// The imported `transport`.
#[derive(Debug, Default)]
pub(crate) struct HostTransport;

impl Transport for HostTransport {
    async fn send(
        &self,
        request: http::Request<Vec<u8>>,
        timeout: Duration,
    ) -> Result<http::Response<Bytes>, TransportError> {
        let (head, body) = request.into_parts();
        let to_pair = |(name, value): (&HeaderName, &HeaderValue)| {
            (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        let host_response = transport::send(&Request {
            method: head.method.as_str().to_owned(),
            url: head.uri.to_string(),
            headers: head.headers.iter().map(to_pair).collect(),
            body,
            timeout_ms: milliseconds(timeout),
        })
        .map_err(to_transport_error)?;
        check_response_len(host_response.body.len())?;
        let mut response = http::Response::new(Bytes::from(host_response.body));
        *response.status_mut() = http::StatusCode::from_u16(host_response.status)
            .map_err(|error| TransportError::new(TransportErrorKind::Interrupted, error))?;
        for (name, value) in host_response.headers {
            // The client does not need an invalid header.
            if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
                response.headers_mut().append(name, value);
            }
        }
        Ok(response)
    }

    fn now(&self) -> Duration {
        Duration::from_millis(transport::now_ms())
    }

    async fn sleep(&self, duration: Duration) {
        transport::wait(milliseconds(duration));
    }
}

/// Converts to milliseconds, rounded up: a wait of zero would retry at once.
fn milliseconds(duration: Duration) -> u32 {
    u32::try_from(duration.as_micros().div_ceil(1_000)).unwrap_or(u32::MAX)
}

fn to_transport_error(error: HostError) -> TransportError {
    let (kind, reason) = match error {
        HostError::Unreachable(reason) => (TransportErrorKind::Connect, reason),
        HostError::Blocked(reason) => (TransportErrorKind::Blocked, reason),
        HostError::TimedOut => (TransportErrorKind::Timeout, "reported by the host".to_owned()),
        HostError::Interrupted(reason) => (TransportErrorKind::Interrupted, reason),
        HostError::TooLarge => (TransportErrorKind::TooLarge, "reported by the host".to_owned()),
    };
    TransportError::new(kind, reason)
}
