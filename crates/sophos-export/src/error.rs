use sophos_store::StoreError;
use tokio::task::JoinError;

use crate::failure::FailureKind;

/// Why a stream was not exported. Nothing was committed, nothing is lost: the
/// next run starts where this one did.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Sophos Central refused or failed.
    #[error(transparent)]
    Service(#[from] sophos_api::Error),
    /// The object store refused or failed, or cannot be opened as configured.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An object of ours in the store cannot be read.
    #[error("{path} is not a log record of this export ({reason}); restore it from a version or a backup")]
    InvalidLogRecord {
        /// The object.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A row could not be encoded.
    #[error("a row could not be encoded: {0}")]
    Encode(#[from] std::io::Error),
    /// A task of the export ended without a result. This is a defect.
    #[error("a task of the export failed: {0}; report this with the log before it")]
    TaskFailed(&'static str),
    /// A tenant's id that no path may be made of.
    #[error("\"{0}\" is no tenant id: letters, digits and hyphens are")]
    InvalidTenantId(String),
}

impl Error {
    /// The kind of the failure.
    pub fn kind(&self) -> FailureKind {
        match self {
            Self::Service(error) => FailureKind::Service(error.kind()),
            Self::Store(_) => FailureKind::Store,
            Self::InvalidLogRecord { .. } => FailureKind::InvalidLogRecord,
            Self::Encode(_) => FailureKind::Encode,
            Self::TaskFailed(_) => FailureKind::TaskFailed,
            Self::InvalidTenantId(_) => FailureKind::InvalidTenantId,
        }
    }
}

/// A task that did not end by itself. Its panic message is in the log already,
/// and may quote a record.
impl From<JoinError> for Error {
    fn from(error: JoinError) -> Self {
        Self::TaskFailed(if error.is_panic() { "it panicked" } else { "it was cancelled" })
    }
}
