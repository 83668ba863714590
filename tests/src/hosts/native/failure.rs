//! Conversion of client errors to the WIT's `failure`, independent of the component.

use serde_json::{Value, json};
use sophos_api::{Error, ErrorKind};

/// The `reason` of each error kind, and whether it has a wait.
const REASONS: [(ErrorKind, &str, bool); 16] = [
    (ErrorKind::NoCredential, "no-credential", false),
    (ErrorKind::CredentialRejected, "credential-rejected", false),
    (ErrorKind::Unauthorized, "unauthorized", false),
    (ErrorKind::Forbidden, "forbidden", false),
    (ErrorKind::WrongCredentialType, "wrong-credential-type", false),
    (ErrorKind::NotFound, "not-found", false),
    (ErrorKind::Conflict, "conflict", false),
    (ErrorKind::Throttled, "throttled", true),
    (ErrorKind::Invalid, "invalid", false),
    (ErrorKind::Unavailable, "unavailable", true),
    (ErrorKind::Unreachable, "unreachable", false),
    (ErrorKind::Blocked, "blocked", false),
    (ErrorKind::Interrupted, "interrupted", false),
    (ErrorKind::Malformed, "malformed", false),
    (ErrorKind::TooLarge, "too-large", false),
    (ErrorKind::UntrustedHost, "untrusted-host", false),
];

pub(super) fn to_failure(error: &Error) -> Value {
    let wait = error.retry_after().map(|wait| wait.as_millis() as u64);
    let (case, carries) = match (error.kind(), wait) {
        // The required wait exceeds the limit of the call.
        (ErrorKind::DeadlineExceeded, Some(_)) => ("throttled", true),
        (ErrorKind::DeadlineExceeded, None) => ("deadline-exceeded", false),
        (kind, _) => REASONS
            .iter()
            .find(|(known, ..)| *known == kind)
            .map_or(("other", false), |(_, case, carries)| (*case, *carries)),
    };
    json!({
        "reason": {"tag": case, "val": wait.filter(|_| carries)},
        "message": error.to_string(),
        "transient": error.is_retryable(),
        "status": error.status(),
        "code": error.code(),
        "request-id": error.request_id(),
        "correlation-id": error.correlation_id(),
    })
}
