//! Conversion of client errors to `types.failure`.

use sophos_api::{Error, ErrorKind, NoCredential};

use crate::bindings::sophos::central::types::{Failure, Reason};

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let wait = error.retry_after().map(|wait| u32::try_from(wait.as_millis()).unwrap_or(u32::MAX));
        Self {
            reason: to_reason(error.kind(), wait),
            message: error.to_string(),
            transient: error.is_retryable(),
            status: error.status(),
            code: error.code().map(str::to_owned),
            request_id: error.request_id().map(str::to_owned),
            correlation_id: error.correlation_id().map(str::to_owned),
        }
    }
}

fn to_reason(kind: ErrorKind, wait_ms: Option<u32>) -> Reason {
    match kind {
        ErrorKind::NoCredential => Reason::NoCredential,
        ErrorKind::CredentialRejected => Reason::CredentialRejected,
        ErrorKind::Unauthorized => Reason::Unauthorized,
        ErrorKind::Forbidden => Reason::Forbidden,
        ErrorKind::WrongCredentialType => Reason::WrongCredentialType,
        ErrorKind::NotFound => Reason::NotFound,
        ErrorKind::Conflict => Reason::Conflict,
        ErrorKind::Throttled => Reason::Throttled(wait_ms),
        // The required wait exceeds the call's time limit.
        ErrorKind::DeadlineExceeded if wait_ms.is_some() => Reason::Throttled(wait_ms),
        ErrorKind::DeadlineExceeded => Reason::DeadlineExceeded,
        ErrorKind::Invalid => Reason::Invalid,
        ErrorKind::Unavailable => Reason::Unavailable(wait_ms),
        ErrorKind::Unreachable => Reason::Unreachable,
        ErrorKind::Blocked => Reason::Blocked,
        ErrorKind::Interrupted => Reason::Interrupted,
        ErrorKind::Malformed => Reason::Malformed,
        ErrorKind::TooLarge => Reason::TooLarge,
        ErrorKind::UntrustedHost => Reason::UntrustedHost,
        _ => Reason::Other,
    }
}

/// Returns the failure for a host that returned no grant. Redacts the reason.
pub(crate) fn no_credential(reason: &str) -> Failure {
    let reason = NoCredential::new(reason);
    Failure {
        reason: Reason::NoCredential,
        message: format!("the host returned no credential: {reason}"),
        transient: false,
        status: None,
        code: None,
        request_id: None,
        correlation_id: None,
    }
}

#[cfg(test)]
mod tests {
    use sophos_api::{Operation, operations::common::alerts::GetAlert};

    use super::*;

    #[test]
    fn failure_keeps_the_error_members_of_the_service() {
        let body =
            r#"{"error": "unauthorized", "message": "no", "requestId": "r-1", "correlationId": "c-1"}"#;
        let response = http::Response::builder().status(403).body(body.into()).expect("a response");
        let failure = Failure::from(GetAlert::parse_response(&response).expect_err("refused"));
        assert!(matches!(failure.reason, Reason::Forbidden), "{failure:?}");
        assert_eq!((failure.status, failure.transient), (Some(403), false));
        assert_eq!(failure.code.as_deref(), Some("unauthorized"));
        assert_eq!(failure.request_id.as_deref(), Some("r-1"));
        assert_eq!(failure.correlation_id.as_deref(), Some("c-1"));
        assert!(failure.message.contains("check the credential's role"), "{}", failure.message);
    }

    #[test]
    fn failure_redacts_an_echoed_token() {
        const TOKEN: &str = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI0MiJ9.c2lnbmF0dXJl";
        let text = format!("Authorization: Bearer {TOKEN}");
        let body = serde_json::json!({
            "error": text, "message": text, "requestId": text, "correlationId": text,
        });
        let response = http::Response::builder().status(403).body(body.to_string().into());
        let response = response.expect("a response");
        let failures =
            [Failure::from(GetAlert::parse_response(&response).expect_err("refused")), no_credential(TOKEN)];
        for failure in failures {
            let shown = format!("{failure:?}");
            assert!(!shown.contains("eyJ") && shown.contains("[redacted]"), "{shown}");
        }
    }

    #[test]
    fn deadline_with_a_wait_is_reported_as_throttled() {
        assert!(matches!(
            to_reason(ErrorKind::DeadlineExceeded, Some(7_000)),
            Reason::Throttled(Some(7_000))
        ));
        assert!(matches!(to_reason(ErrorKind::DeadlineExceeded, None), Reason::DeadlineExceeded));
        assert!(matches!(to_reason(ErrorKind::Throttled, None), Reason::Throttled(None)));
    }
}
