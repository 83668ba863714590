//! The kinds of failures of a stream, for programs.

use std::fmt;

use serde::{Serialize, Serializer};
use sophos_api::ErrorKind;

/// The kind of a stream's failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FailureKind {
    /// A request to Sophos Central failed.
    Service(ErrorKind),
    /// The object store failed.
    Store,
    /// A log record in the store is invalid.
    InvalidLogRecord,
    /// A committed object in the store is missing or invalid.
    InvalidObject,
    /// Encoding a row or an object failed.
    Encode,
    /// A task of the export panicked.
    TaskFailed,
    /// The caller stopped the run. Reports count such a stream as not started.
    Stopped,
    /// The tenant's id is invalid.
    InvalidTenantId,
}

impl FailureKind {
    /// The name in reports, log records and messages. It is stable across releases.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Service(kind) => service_error_name(kind),
            Self::Store => "Store",
            Self::InvalidLogRecord => "InvalidLogRecord",
            Self::InvalidObject => "InvalidObject",
            Self::Encode => "Encode",
            Self::TaskFailed => "TaskFailed",
            Self::Stopped => "Stopped",
            Self::InvalidTenantId => "InvalidTenantId",
        }
    }

    /// Whether an operator has to act first: a retry would fail as well.
    pub const fn requires_operator(self) -> bool {
        matches!(
            self,
            Self::Service(
                ErrorKind::Forbidden
                    | ErrorKind::NotFound
                    | ErrorKind::CredentialRejected
                    | ErrorKind::NoCredential
                    | ErrorKind::WrongCredentialType
                    | ErrorKind::UntrustedHost
            )
        )
    }

    /// Whether the failure may be due to a move of the tenant to another data region.
    pub(crate) const fn may_be_wrong_region(self) -> bool {
        matches!(
            self,
            Self::Service(
                ErrorKind::Forbidden
                    | ErrorKind::Unauthorized
                    | ErrorKind::NotFound
                    | ErrorKind::Unreachable
                    | ErrorKind::Invalid
            )
        )
    }
}

const fn service_error_name(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::CredentialRejected => "CredentialRejected",
        ErrorKind::NoCredential => "NoCredential",
        ErrorKind::Unauthorized => "Unauthorized",
        ErrorKind::Forbidden => "Forbidden",
        ErrorKind::WrongCredentialType => "WrongCredentialType",
        ErrorKind::NotFound => "NotFound",
        ErrorKind::Conflict => "Conflict",
        ErrorKind::Throttled => "Throttled",
        ErrorKind::Invalid => "Invalid",
        ErrorKind::Unavailable => "Unavailable",
        ErrorKind::Unreachable => "Unreachable",
        ErrorKind::Blocked => "Blocked",
        ErrorKind::Interrupted => "Interrupted",
        ErrorKind::DeadlineExceeded => "DeadlineExceeded",
        ErrorKind::Malformed => "Malformed",
        ErrorKind::TooLarge => "TooLarge",
        ErrorKind::UntrustedHost => "UntrustedHost",
        ErrorKind::JobFailed => "JobFailed",
        ErrorKind::JobExpired => "JobExpired",
        ErrorKind::TenantMoved => "TenantMoved",
        ErrorKind::Graphql => "Graphql",
        _ => "Service",
    }
}

impl fmt::Display for FailureKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for FailureKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}
