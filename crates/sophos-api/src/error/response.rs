//! Parsing of the responses with which the service rejects a request.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::error::{Error, ErrorKind, sanitize};

impl Error {
    /// The error of a response with a status other than 2xx.
    pub(crate) fn from_response(response: &http::Response<Bytes>) -> Self {
        let status = response.status().as_u16();
        let kind = match status {
            401 => ErrorKind::Unauthorized,
            403 => ErrorKind::Forbidden,
            404 => ErrorKind::NotFound,
            409 => ErrorKind::Conflict,
            429 => ErrorKind::Throttled,
            400..=499 => ErrorKind::Invalid,
            500..=599 => ErrorKind::Unavailable,
            // A redirect, or an unexpected informational status.
            _ => ErrorKind::Malformed,
        };
        // A gateway may send HTML or nothing: only the status counts then.
        let body = std::str::from_utf8(response.body()).unwrap_or_default();
        let envelope: ErrorBody<'_> = serde_json::from_str(body).unwrap_or_default();
        let mut this = Self::new(kind);
        let inner = this.inner_mut();
        inner.status = Some(status);
        inner.code = parse_text(envelope.error).or_else(|| parse_text(envelope.error_code));
        inner.message = parse_text(envelope.message);
        inner.correlation_id = parse_text(envelope.correlation_id);
        inner.request_id = parse_text(envelope.request_id).or_else(|| parse_text(envelope.tracking_id));
        this
    }
}

/// The error bodies of the API and of the identity service. Any field may be
/// missing, and `code` may be a number.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ErrorBody<'a> {
    #[serde(borrow)]
    error: Option<&'a RawValue>,
    error_code: Option<&'a RawValue>,
    message: Option<&'a RawValue>,
    correlation_id: Option<&'a RawValue>,
    request_id: Option<&'a RawValue>,
    tracking_id: Option<&'a RawValue>,
}

/// Reads a text or a number. Anything else is ignored: it may be large.
fn parse_text(value: Option<&RawValue>) -> Option<String> {
    let value = value?.get();
    match value.as_bytes().first()? {
        b'"' => {
            let text: String = serde_json::from_str(value).ok()?;
            (!text.is_empty()).then(|| sanitize(&text))
        }
        b'-' | b'0'..=b'9' => Some(sanitize(value)),
        _ => None,
    }
}
