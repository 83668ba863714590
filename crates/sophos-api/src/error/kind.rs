//! The classes of failures.

/// The class of a failure.
///
/// ```
/// use sophos_api::{Error, ErrorKind};
///
/// /// The exit code of a program.
/// fn exit_code(error: &Error) -> u8 {
///     match error.kind() {
///         ErrorKind::NoCredential | ErrorKind::CredentialRejected => 3,
///         ErrorKind::Invalid => 2,
///         _ => 1,
///     }
/// }
///
/// assert_eq!(exit_code(&Error::invalid("invalid pageSize \"0\": expected 1 to 500")), 2);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The identity service rejected the credential (401, 400 or 403 there): a wrong
    /// or rotated secret, an expired or deleted credential. Or its owner is not the
    /// expected one.
    CredentialRejected,
    /// No credential could be read.
    NoCredential,
    /// The API rejected a fresh token (401): the wrong host for this tenant, or a
    /// missing scope header.
    Unauthorized,
    /// The credential does not permit the operation (403): its role, the tenant's
    /// licence, or a tenant that this partner does not manage.
    Forbidden,
    /// The operation needs a credential of another type: partner, organization or
    /// tenant.
    WrongCredentialType,
    /// The object does not exist (404).
    NotFound,
    /// The state of the object does not allow the operation (409), for example while
    /// an isolation is in progress.
    Conflict,
    /// Too many requests (429). [`Error::retry_after`](crate::Error::retry_after) is the wait, if it is known.
    Throttled,
    /// The service rejected the request (any other 4xx), or the client did because
    /// of an invalid value.
    Invalid,
    /// The service failed (5xx).
    Unavailable,
    /// No connection to the service.
    Unreachable,
    /// The host of this program blocked the request.
    Blocked,
    /// No complete response in time, or a broken connection. The service may have
    /// executed the operation.
    Interrupted,
    /// The deadline left no time for another attempt or a wait.
    DeadlineExceeded,
    /// A response that is not as documented.
    Malformed,
    /// The response is larger than the transport accepts. Request smaller pages.
    TooLarge,
    /// The job of the service failed, was canceled or ran out of time.
    JobFailed,
    /// The job of the service expired before it was finished.
    JobExpired,
    /// Several objects match. Name one of them by its id.
    Ambiguous,
    /// The service named a host that must not receive the token.
    UntrustedHost,
    /// The tenant has moved to Sophos Fusion. There the operation would return objects
    /// from before the move, so the client did not send it.
    TenantMoved,
    /// The GraphQL service answered with errors. Its codes do not tell whether the same
    /// request can succeed later.
    Graphql,
}

impl ErrorKind {
    pub(crate) fn description(self) -> &'static str {
        match self {
            Self::CredentialRejected => {
                "the credential was rejected; check that it is current and has not expired or been deleted in the console"
            }
            Self::NoCredential => "no credential could be read",
            Self::Unauthorized => "a fresh token was rejected; check the tenant and its data region",
            Self::Forbidden => {
                "not permitted; check the credential's role, the tenant's licence, and that the tenant lets this account manage it"
            }
            Self::WrongCredentialType => "the operation needs a credential of another type",
            Self::NotFound => "not found",
            Self::Conflict => {
                "a change is in progress or the state does not allow it; read the state, then decide"
            }
            Self::Throttled => "too many requests",
            Self::Invalid => "the request was rejected",
            Self::Unavailable => "the service failed",
            Self::Unreachable => "the service could not be reached",
            Self::Blocked => "the request was blocked; allow its destination where this program runs",
            Self::Interrupted => "no complete response; the operation may have been executed",
            Self::DeadlineExceeded => "no time left before the deadline",
            Self::Malformed => "the response is not as documented",
            Self::TooLarge => {
                "the response exceeds the limit of this program; use smaller pages or raise the limit"
            }
            Self::JobFailed => "the job failed; correct its cause, then start another",
            Self::JobExpired => "the job expired before it was finished; start another",
            Self::Ambiguous => "several objects match; name one of them by its id",
            Self::UntrustedHost => "the service named a host outside its domain; no token was sent to it",
            Self::TenantMoved => {
                "the tenant has moved to Sophos Fusion, where this operation returns objects from before the move"
            }
            Self::Graphql => "the GraphQL service answered with errors",
        }
    }
}
