//! HTTP and time as the host provides them.

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
        let text = |(name, value): (&HeaderName, &HeaderValue)| {
            (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        let answer = transport::send(&Request {
            method: head.method.as_str().to_owned(),
            url: head.uri.to_string(),
            headers: head.headers.iter().map(text).collect(),
            body,
            timeout_ms: milliseconds(timeout),
        })
        .map_err(to_transport_error)?;
        check_response_len(answer.body.len())?;
        let mut response = http::Response::new(Bytes::from(answer.body));
        *response.status_mut() = http::StatusCode::from_u16(answer.status)
            .map_err(|error| TransportError::new(TransportErrorKind::Interrupted, error))?;
        for (name, value) in answer.headers {
            // One that is no header is not one that the client reads.
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

/// Rounded up: no wait at all would ask again at once.
fn milliseconds(time: Duration) -> u32 {
    u32::try_from(time.as_micros().div_ceil(1_000)).unwrap_or(u32::MAX)
}

fn to_transport_error(error: HostError) -> TransportError {
    let (kind, why) = match error {
        HostError::Unreachable(why) => (TransportErrorKind::Connect, why),
        HostError::Blocked(why) => (TransportErrorKind::Blocked, why),
        HostError::TimedOut => (TransportErrorKind::Timeout, "the host says so".to_owned()),
        HostError::Interrupted(why) => (TransportErrorKind::Interrupted, why),
        HostError::TooLarge => (TransportErrorKind::TooLarge, "the host says so".to_owned()),
    };
    TransportError::new(kind, why)
}
