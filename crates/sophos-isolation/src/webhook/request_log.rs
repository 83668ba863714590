//! The data of a request for the log.

use super::Response;
use crate::{decision::DecisionId, signal::clean};

/// The data of a request for the operator's log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RequestLog {
    /// The source, if the policy has it.
    pub source: Option<String>,
    /// The reason why the request was rejected or failed.
    pub problem: Option<String>,
    /// The kind of the problem: `InvalidEvent`, `UnlistedAccount`,
    /// `MalformedEvent`, `SourceDisabled`, `SecretUnreadable` or
    /// `CertificateUnavailable`; `None` for others.
    pub error_kind: Option<&'static str>,
    /// The SHA-256 of a body that could not be parsed, in hexadecimal.
    pub body_sha256: Option<String>,
    /// The name of the secret that could not be read.
    pub secret_name: Option<String>,
    /// The path of the ledger's record of a body that could not be parsed.
    pub record_path: Option<String>,
    /// The decisions that it created.
    pub created: Vec<DecisionId>,
    /// The decisions that existed.
    pub duplicates: Vec<DecisionId>,
    /// Whether the previous value of a secret authenticated it.
    pub used_previous_key: bool,
    /// Notes for the operator: one for each secret in a wrong format, and one for
    /// each change of a subscription.
    pub notes: Vec<String>,
}

impl RequestLog {
    /// Whether the operator must act, whatever the response to the sender. A
    /// certificate that cannot be fetched does not count, as any caller can name
    /// one.
    pub fn is_server_error(&self, response: &Response) -> bool {
        match self.error_kind {
            Some("SecretUnreadable" | "SourceDisabled") => true,
            Some("CertificateUnavailable") => false,
            _ => response.status >= 500,
        }
    }

    /// Returns the problem, cleaned for a log.
    pub fn problem(&self) -> Option<String> {
        self.problem.as_deref().map(clean)
    }

    /// Returns the notes, cleaned for a log.
    pub fn notes(&self) -> Vec<String> {
        self.notes.iter().map(|note| clean(note)).collect()
    }
}
