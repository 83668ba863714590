use sophos_store::StoreError;
use tokio::task::JoinError;

use crate::failure::FailureKind;

/// The failure of a stream. Nothing was committed and nothing is lost: the next run has
/// the same start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A request to Sophos Central failed.
    #[error(transparent)]
    Service(#[from] sophos_api::Error),
    /// The object store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A log record in the store is invalid.
    #[error("invalid log record {path}: {reason}; restore it from a version or a backup")]
    InvalidLogRecord {
        /// The path of the object.
        path: String,
        /// The cause.
        reason: String,
    },
    /// A committed object that the export reads again is missing or has another content.
    #[error("invalid object {path}: {reason}; restore it from a version or a backup")]
    InvalidObject {
        /// The path of the object.
        path: String,
        /// The cause.
        reason: String,
    },
    /// Encoding a row failed.
    #[error("encoding a row failed: {0}")]
    Encode(#[from] std::io::Error),
    /// A task of the export ended without a result. This is a defect.
    #[error("a task of the export failed: {0}; report this with the log records before it")]
    TaskFailed(&'static str),
    /// The caller stopped the run before it read a page.
    #[error("the run was stopped before it read a page; run it again")]
    Stopped,
    /// A tenant's id is not valid in a path.
    #[error("invalid tenant id \"{0}\": expected 1 to 64 letters, digits and hyphens")]
    InvalidTenantId(String),
}

impl Error {
    /// The kind of the failure.
    pub fn kind(&self) -> FailureKind {
        match self {
            Self::Service(error) => FailureKind::Service(error.kind()),
            Self::Store(_) => FailureKind::Store,
            Self::InvalidLogRecord { .. } => FailureKind::InvalidLogRecord,
            Self::InvalidObject { .. } => FailureKind::InvalidObject,
            Self::Encode(_) => FailureKind::Encode,
            Self::TaskFailed(_) => FailureKind::TaskFailed,
            Self::Stopped => FailureKind::Stopped,
            Self::InvalidTenantId(_) => FailureKind::InvalidTenantId,
        }
    }

    /// Whether the service rejected a request as invalid.
    pub(crate) fn is_invalid_request(&self) -> bool {
        matches!(self, Self::Service(error) if error.kind() == sophos_api::ErrorKind::Invalid && error.status().is_some())
    }
}

/// A task that panicked or was cancelled. The log has the panic's message, which may
/// quote a record.
impl From<JoinError> for Error {
    fn from(error: JoinError) -> Self {
        Self::TaskFailed(if error.is_panic() { "it panicked" } else { "it was cancelled" })
    }
}
