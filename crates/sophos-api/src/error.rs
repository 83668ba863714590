use std::{fmt, sync::Arc, time::Duration};

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{
    scrub::{Scrubber, redact_tokens},
    transport::{TransportError, TransportErrorKind},
};

/// Longest text of the service that an error repeats, in characters.
const MAX_MESSAGE_LEN: usize = 300;

/// The longest text that an error keeps until secrets are removed from it, in
/// characters. It is cut to what is shown only after that.
const MAX_STORED_LEN: usize = 4_096;

/// Longest reason of a source of credentials, in characters. It may name a secret
/// (512 at most) and say what it should hold.
const MAX_REASON_LEN: usize = 1_000;

/// Why an operation failed.
///
/// [`kind`](Self::kind) says what one can do about it; the text says it in
/// words, with the service's own ids, which its support asks for. It never
/// holds a secret or a token: a client removes those that it uses from all that
/// the service says, in each form in which an answer may repeat them, and all that
/// looks like a token. `[redacted]` takes their place. Cheap to clone, since
/// callers that wait for the same token share its failure.
#[derive(Clone)]
pub struct Error(Arc<ErrorInner>);

#[derive(Debug, Clone)]
struct ErrorInner {
    kind: ErrorKind,
    operation: Option<String>,
    tenant: Option<String>,
    status: Option<u16>,
    code: Option<String>,
    message: Option<String>,
    reason: Option<String>,
    correlation_id: Option<String>,
    request_id: Option<String>,
    retry_after: Option<Duration>,
    cause: Option<TransportErrorKind>,
}

/// What a failure means to the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The identity service refused the credential (401, 400 or 403 there): a
    /// wrong or rotated secret, an expired or deleted credential. Or it belongs
    /// to somebody else than it must.
    CredentialRejected,
    /// There is no credential to ask with: where it is kept could not be read.
    NoCredential,
    /// The API refused a fresh token (401): the wrong host for this tenant, or
    /// a missing scope header.
    Unauthorized,
    /// The credential may not do this (403): its role, the tenant's licence, or
    /// a tenant that this partner does not manage.
    Forbidden,
    /// The operation needs a credential of another kind: partner, organization
    /// or tenant.
    WrongCredentialType,
    /// No such object (404).
    NotFound,
    /// The object is in a state that does not allow it (409), for example an
    /// isolation in progress.
    Conflict,
    /// Too many requests (429), or the credential's own budget is spent.
    /// [`Error::retry_after`] says for how long, when that is known.
    Throttled,
    /// The service rejected the request (any other 4xx), or it was not sent
    /// because it could only be rejected.
    Invalid,
    /// The service failed (5xx).
    Unavailable,
    /// No connection to the service.
    Unreachable,
    /// Whoever runs the program does not let the request out.
    Blocked,
    /// No complete answer in time, or a broken connection. The operation may
    /// have been carried out.
    Interrupted,
    /// The deadline left no time for another attempt or a wait.
    DeadlineExceeded,
    /// An answer that is not what the API promises.
    Malformed,
    /// The answer is larger than the transport accepts. A listing may fit in
    /// smaller pages.
    TooLarge,
    /// The service named a host that the token must not be sent to.
    UntrustedHost,
}

impl ErrorKind {
    fn description(self) -> &'static str {
        match self {
            Self::CredentialRejected => {
                "the credential was refused; check that it is current and has not expired or been deleted in the console"
            }
            Self::NoCredential => "no credential could be read",
            Self::Unauthorized => "a fresh token was refused; check the tenant and its data region",
            Self::Forbidden => {
                "not allowed; check the credential's role, the tenant's licence, and that the tenant lets this account manage it"
            }
            Self::WrongCredentialType => "the credential is of another kind than this operation needs",
            Self::NotFound => "not found",
            Self::Conflict => {
                "a change is in progress or the state does not allow it; read the state, then decide"
            }
            Self::Throttled => "too many requests",
            Self::Invalid => "the request was rejected",
            Self::Unavailable => "the service failed",
            Self::Unreachable => "the service could not be reached",
            Self::Blocked => "the request was not let out; allow its destination where this program runs",
            Self::Interrupted => "no complete answer; the operation may have been carried out",
            Self::DeadlineExceeded => "no time left before the deadline",
            Self::Malformed => "the answer is not what the API promises",
            Self::TooLarge => {
                "the answer exceeds the limit of this program; use smaller pages or raise the limit"
            }
            Self::UntrustedHost => "the service named a host outside its domain; no token was sent to it",
        }
    }
}

impl Error {
    pub(crate) fn new(kind: ErrorKind) -> Self {
        Self(Arc::new(ErrorInner {
            kind,
            operation: None,
            tenant: None,
            status: None,
            code: None,
            message: None,
            reason: None,
            correlation_id: None,
            request_id: None,
            retry_after: None,
            cause: None,
        }))
    }

    /// A request that could only be rejected, with the reason.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Invalid).with_message(message)
    }

    /// A request that needs a credential of another kind, with the reason.
    pub fn wrong_credential_type(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::WrongCredentialType).with_message(message)
    }

    /// An answer that is not what the API promises, with what is wrong.
    pub fn malformed(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Malformed).with_message(message)
    }

    /// What it means to the caller.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The HTTP status, when there was an answer.
    pub fn status(&self) -> Option<u16> {
        self.0.status
    }

    /// The service's name for the error, in no fixed form: for logs only.
    pub fn code(&self) -> Option<&str> {
        self.0.code.as_deref().map(|text| truncate(text, MAX_MESSAGE_LEN))
    }

    /// The service's id of the request, for its support.
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref().map(|text| truncate(text, MAX_MESSAGE_LEN))
    }

    /// The service's id of the whole exchange, for its support.
    pub fn correlation_id(&self) -> Option<&str> {
        self.0.correlation_id.as_deref().map(|text| truncate(text, MAX_MESSAGE_LEN))
    }

    /// How long to wait before asking again, when that is known.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// Whether the same request may succeed later, with nothing changed.
    pub fn is_transient(&self) -> bool {
        match self.kind() {
            ErrorKind::Throttled
            | ErrorKind::Unavailable
            | ErrorKind::Unreachable
            | ErrorKind::Interrupted
            | ErrorKind::DeadlineExceeded => true,
            // A body that was cut in the middle of its JSON.
            ErrorKind::Malformed => matches!(self.0.status, Some(200..=299)),
            _ => false,
        }
    }

    pub(crate) fn from_transport(error: &TransportError) -> Self {
        let kind = match error.kind() {
            TransportErrorKind::Connect => ErrorKind::Unreachable,
            TransportErrorKind::Timeout | TransportErrorKind::Interrupted => ErrorKind::Interrupted,
            TransportErrorKind::TooLarge => ErrorKind::TooLarge,
            TransportErrorKind::UnsupportedEncoding => ErrorKind::Malformed,
            TransportErrorKind::InvalidRequest => ErrorKind::Invalid,
            TransportErrorKind::Blocked => ErrorKind::Blocked,
        };
        let mut this = Self::new(kind).with_message(error.to_string());
        this.inner_mut().cause = Some(error.kind());
        this
    }

    /// The error that an answer with a status other than 2xx stands for.
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
            // A redirect, or an informational status that no client asked for.
            _ => ErrorKind::Malformed,
        };
        // Gateways answer with HTML or with nothing: then the status is all.
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

    pub(crate) fn with_kind(mut self, kind: ErrorKind) -> Self {
        self.inner_mut().kind = kind;
        self
    }

    /// The same, and why there is no way around it.
    pub(crate) fn with_reason(mut self, reason: &impl fmt::Display) -> Self {
        let reason = sanitize(&reason.to_string());
        self.inner_mut().reason = Some(reason);
        self
    }

    pub(crate) fn with_message(mut self, message: impl Into<String>) -> Self {
        self.inner_mut().message = Some(sanitize(&message.into()));
        self
    }

    /// The same, without the secrets and tokens that a client knows.
    pub(crate) fn scrubbed(mut self, scrubber: &Scrubber) -> Self {
        let inner = &*self.0;
        let texts = [
            &inner.tenant,
            &inner.code,
            &inner.message,
            &inner.reason,
            &inner.correlation_id,
            &inner.request_id,
        ];
        let scrubbed = texts.map(|text| text.as_deref().map(|text| scrubber.scrub(text).into_owned()));
        let inner = self.inner_mut();
        [inner.tenant, inner.code, inner.message, inner.reason, inner.correlation_id, inner.request_id] =
            scrubbed;
        self
    }

    pub(crate) fn with_operation(mut self, operation: impl Into<String>) -> Self {
        self.inner_mut().operation.get_or_insert(operation.into());
        self
    }

    pub(crate) fn with_tenant(mut self, tenant: Option<&str>) -> Self {
        if let Some(tenant) = tenant {
            self.inner_mut().tenant.get_or_insert(tenant.to_owned());
        }
        self
    }

    pub(crate) fn with_status(mut self, status: u16) -> Self {
        self.inner_mut().status = Some(status);
        self
    }

    pub(crate) fn with_retry_after(mut self, wait: Option<Duration>) -> Self {
        self.inner_mut().retry_after = wait;
        self
    }

    fn inner_mut(&mut self) -> &mut ErrorInner {
        Arc::make_mut(&mut self.0)
    }
}

/// Both envelopes, the data API's and the identity service's. A member may be
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

/// A text or a number. Anything else is not read: it may be large.
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

/// One line of bounded length, without what looks like a token.
fn sanitize(text: &str) -> String {
    let line = |character: char| if character.is_control() { ' ' } else { character };
    let kept: String = text.chars().take(MAX_STORED_LEN).map(line).collect();
    redact_tokens(&kept).into_owned()
}

fn truncate(text: &str, limit: usize) -> &str {
    text.char_indices().nth(limit).map_or(text, |(end, _)| &text[..end])
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.0;
        if let Some(operation) = &inner.operation {
            write!(f, "{operation}")?;
            if let Some(tenant) = &inner.tenant {
                write!(f, " for tenant {tenant}")?;
            }
            f.write_str(": ")?;
        }
        f.write_str(inner.kind.description())?;
        match (inner.status, self.code()) {
            (Some(status), Some(code)) => write!(f, " ({status} {code})")?,
            (Some(status), None) => write!(f, " ({status})")?,
            _ => {}
        }
        let message = inner.message.as_deref().map(|text| truncate(text, MAX_MESSAGE_LEN));
        let reason = inner.reason.as_deref().map(|text| truncate(text, MAX_REASON_LEN));
        for (text, before) in message.into_iter().chain(reason).zip([": ", "; "]) {
            write!(f, "{before}{text}")?;
        }
        if let Some(wait) = inner.retry_after {
            write!(f, "; ask again in {} s", wait.as_millis().div_ceil(1_000))?;
        }
        if let Some(id) = self.request_id() {
            write!(f, "; requestId {id}")?;
        }
        if let Some(id) = self.correlation_id() {
            write!(f, "; correlationId {id}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Error({:?}: {self})", self.kind())
    }
}

impl std::error::Error for Error {}
