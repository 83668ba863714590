mod kind;
mod predicates;
mod response;

use std::{error, fmt, sync::Arc, time::Duration};

use crate::{
    credentials::NoCredential,
    operation::RequiredAccess,
    scrub::{Scrubber, redact_tokens},
    transport::{TransportError, TransportErrorKind},
};

pub use kind::ErrorKind;

/// The longest text of the service in an error, in characters.
const MAX_MESSAGE_LEN: usize = 300;

/// The longest stored text, in characters. Secrets are removed before it is cut to
/// the displayed length.
const MAX_STORED_LEN: usize = 4_096;

/// The longest reason of a credential source, in characters. It may hold the name of
/// a secret (512 at most) and the expected content.
const MAX_REASON_LEN: usize = 1_000;

/// The failure of an operation.
///
/// [`kind`](Self::kind) and the predicates classify it. The text describes it, with
/// the service's ids for a support request. It never holds a secret or a token: a
/// client replaces the ones that it uses, in each encoding that a response may
/// repeat, and anything that looks like a token, by `[redacted]`. It is cheap to
/// clone, since callers that wait for the same token share one failure.
///
/// ```
/// use sophos_api::Error;
///
/// fn advice(error: &Error) -> String {
///     match error {
///         error if error.is_throttled() => format!("retry in {:?}", error.retry_after()),
///         error if error.is_forbidden() => "check the role of the credential".to_owned(),
///         error => format!("{error} (request {:?})", error.request_id()),
///     }
/// }
///
/// assert!(advice(&Error::invalid("invalid pageSize \"0\"")).contains("pageSize"));
/// ```
#[derive(Clone)]
pub struct Error(Arc<ErrorInner>);

#[derive(Debug, Clone)]
struct ErrorInner {
    kind: ErrorKind,
    operation: Option<String>,
    tenant_id: Option<String>,
    status: Option<u16>,
    code: Option<String>,
    message: Option<String>,
    reason: Option<String>,
    path: Option<String>,
    repeatable: bool,
    correlation_id: Option<String>,
    request_id: Option<String>,
    retry_after: Option<Duration>,
    access: Option<RequiredAccess>,
    replacement: Option<&'static str>,
    source: Option<Source>,
}

#[derive(Debug, Clone)]
enum Source {
    Transport(Arc<TransportError>),
    Credential(NoCredential),
}

impl Error {
    pub(crate) fn new(kind: ErrorKind) -> Self {
        Self(Arc::new(ErrorInner {
            kind,
            operation: None,
            tenant_id: None,
            status: None,
            code: None,
            message: None,
            reason: None,
            path: None,
            repeatable: false,
            correlation_id: None,
            request_id: None,
            retry_after: None,
            access: None,
            replacement: None,
            source: None,
        }))
    }

    /// An invalid request, with the reason.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Invalid).with_message(message)
    }

    /// A request that needs a credential of another type, with the reason.
    pub fn wrong_credential_type(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::WrongCredentialType).with_message(message)
    }

    /// A response that is not as documented, with the reason.
    pub fn malformed(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Malformed).with_message(message)
    }

    /// The class of the failure.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The operation's method and path, such as `GET /whoami/v1`.
    pub fn operation(&self) -> Option<&str> {
        self.0.operation.as_deref()
    }

    /// The tenant of the operation.
    pub fn tenant_id(&self) -> Option<&str> {
        self.0.tenant_id.as_deref()
    }

    /// The HTTP status of the response.
    pub fn status(&self) -> Option<u16> {
        self.0.status
    }

    /// The service's name of the error. Its form is not stable: use it in logs only.
    pub fn code(&self) -> Option<&str> {
        self.0.code.as_deref().map(|text| truncate(text, MAX_MESSAGE_LEN))
    }

    /// The member of a GraphQL response that failed, such as `createCase`.
    pub fn path(&self) -> Option<&str> {
        self.0.path.as_deref().map(|text| truncate(text, MAX_MESSAGE_LEN))
    }

    /// The service's id of the request, for its support.
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref().map(|text| truncate(text, MAX_MESSAGE_LEN))
    }

    /// The service's id of the exchange, for its support.
    pub fn correlation_id(&self) -> Option<&str> {
        self.0.correlation_id.as_deref().map(|text| truncate(text, MAX_MESSAGE_LEN))
    }

    /// The wait before another attempt, if it is known.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// The access that the operation takes, if the service or the client rejected it
    /// for lack of access.
    ///
    /// Present at 403, at a credential of the wrong type, and at 404 of a path that
    /// names no object. Create a credential of a listed type with a listed role, or
    /// check the tenant's licence if the credential has both.
    pub fn required_access(&self) -> Option<&RequiredAccess> {
        self.0.access.as_ref()
    }

    /// The operation to send instead for a tenant that has moved to Sophos Fusion, such as
    /// `fusion::cases::ListCases`.
    pub fn replacement(&self) -> Option<&'static str> {
        self.0.replacement
    }

    /// The error of an attempt without a response.
    pub(crate) fn from_transport(error: &TransportError) -> Self {
        let kind = match error.kind() {
            TransportErrorKind::Connect => ErrorKind::Unreachable,
            TransportErrorKind::Timeout | TransportErrorKind::Interrupted => ErrorKind::Interrupted,
            TransportErrorKind::TooLarge => ErrorKind::TooLarge,
            TransportErrorKind::UnsupportedEncoding => ErrorKind::Malformed,
            TransportErrorKind::InvalidRequest => ErrorKind::Invalid,
            TransportErrorKind::Blocked => ErrorKind::Blocked,
        };
        let message = sanitize(&error.to_string());
        let cause = TransportError::new(error.kind(), sanitize(&error.cause()));
        let mut this = Self::new(kind);
        let inner = this.inner_mut();
        inner.message = Some(message);
        inner.source = Some(Source::Transport(Arc::new(cause)));
        this
    }

    pub(crate) fn with_kind(mut self, kind: ErrorKind) -> Self {
        self.inner_mut().kind = kind;
        self
    }

    /// Adds the reason why the source has no other credential.
    pub(crate) fn with_reason(mut self, reason: &NoCredential) -> Self {
        let inner = self.inner_mut();
        inner.reason = Some(sanitize(&reason.to_string()));
        inner.source = Some(Source::Credential(NoCredential::new(sanitize(&reason.to_string()))));
        self
    }

    pub(crate) fn with_message(mut self, message: impl Into<String>) -> Self {
        self.inner_mut().message = Some(sanitize(&message.into()));
        self
    }

    /// Adds the code and the path of a GraphQL error.
    pub(crate) fn with_graphql(mut self, code: Option<&str>, path: Option<&str>) -> Self {
        let inner = self.inner_mut();
        inner.code = code.map(sanitize).or(inner.code.take());
        inner.path = path.map(sanitize);
        self
    }

    /// Declares that the service did not execute the operation, and a repetition helps.
    pub(crate) fn repeatable(mut self) -> Self {
        self.inner_mut().repeatable = true;
        self
    }

    /// Whether any operation may be repeated after this error.
    pub(crate) fn is_repeatable(&self) -> bool {
        self.0.repeatable
    }

    /// Whether the text has a message of the service.
    pub(crate) fn has_message(&self) -> bool {
        self.0.message.is_some()
    }

    /// Adds a remedy behind the message.
    pub(crate) fn with_remedy(mut self, remedy: &str) -> Self {
        self.inner_mut().reason.get_or_insert_with(|| sanitize(remedy));
        self
    }

    /// Removes the secrets and tokens that a client knows.
    pub(crate) fn scrubbed(mut self, scrubber: &Scrubber) -> Self {
        let scrub = |text: &mut Option<String>| {
            if let Some(text) = text {
                *text = scrubber.scrub(text).into_owned();
            }
        };
        let inner = self.inner_mut();
        scrub(&mut inner.tenant_id);
        scrub(&mut inner.code);
        scrub(&mut inner.message);
        scrub(&mut inner.reason);
        scrub(&mut inner.path);
        scrub(&mut inner.correlation_id);
        scrub(&mut inner.request_id);
        inner.source = inner.source.take().map(|source| match source {
            Source::Transport(error) => {
                let cause = scrubber.scrub(&error.cause()).into_owned();
                Source::Transport(Arc::new(TransportError::new(error.kind(), cause)))
            }
            Source::Credential(reason) => {
                Source::Credential(NoCredential::new(scrubber.scrub(&reason.to_string())))
            }
        });
        self
    }

    pub(crate) fn with_operation(mut self, operation: impl Into<String>) -> Self {
        self.inner_mut().operation.get_or_insert(operation.into());
        self
    }

    pub(crate) fn with_tenant_id(mut self, tenant_id: Option<&str>) -> Self {
        if let Some(tenant_id) = tenant_id {
            self.inner_mut().tenant_id.get_or_insert(tenant_id.to_owned());
        }
        self
    }

    pub(crate) fn with_access(mut self, access: RequiredAccess) -> Self {
        self.inner_mut().access = Some(access);
        self
    }

    pub(crate) fn with_replacement(mut self, operation: &'static str) -> Self {
        self.inner_mut().replacement = Some(operation);
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

    /// Whether the transport ran into its time limit.
    pub(crate) fn timed_out(&self) -> bool {
        matches!(&self.0.source, Some(Source::Transport(error)) if error.kind() == TransportErrorKind::Timeout)
    }

    fn inner_mut(&mut self) -> &mut ErrorInner {
        Arc::make_mut(&mut self.0)
    }
}

/// Reduces a text to one line of bounded length, without anything like a token.
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
            if let Some(tenant_id) = &inner.tenant_id {
                write!(f, " for tenant {tenant_id}")?;
            }
            f.write_str(": ")?;
        }
        let message = inner.message.as_deref().map(|text| truncate(text, MAX_MESSAGE_LEN));
        // The service rejected nothing: the message names the invalid value.
        let is_local = inner.kind == ErrorKind::Invalid
            && inner.status.is_none()
            && inner.code.is_none()
            && message.is_some();
        if !is_local {
            f.write_str(inner.kind.description())?;
        }
        match (inner.status, self.code()) {
            (Some(status), Some(code)) => write!(f, " ({status} {code})")?,
            (Some(status), None) => write!(f, " ({status})")?,
            _ => {}
        }
        let reason = inner.reason.as_deref().map(|text| truncate(text, MAX_REASON_LEN));
        for (text, before) in message.into_iter().chain(reason).zip([if is_local { "" } else { ": " }, "; "])
        {
            write!(f, "{before}{text}")?;
        }
        if let Some(access) = &inner.access {
            write!(f, "; {access}")?;
        }
        if let Some(path) = self.path() {
            write!(f, "; path {path}")?;
        }
        if let Some(wait) = inner.retry_after {
            write!(f, "; retry in {} s", wait.as_millis().div_ceil(1_000))?;
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

impl error::Error for Error {
    /// The [`TransportError`] or [`NoCredential`] behind it, without secrets and
    /// tokens. The text of this error includes it already.
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self.0.source.as_ref()? {
            Source::Transport(error) => Some(error.as_ref()),
            Source::Credential(reason) => Some(reason),
        }
    }
}
