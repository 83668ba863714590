use sophos_store::StoreError;

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
    Unreadable {
        /// The object.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A row could not be encoded.
    #[error("a row could not be encoded: {0}")]
    Encode(#[from] std::io::Error),
    /// A tenant's id that no path may be made of.
    #[error("\"{0}\" is no tenant id: letters, digits and hyphens are")]
    TenantId(String),
}

impl Error {
    /// What failed, in one word, for metrics and reports.
    pub fn kind(&self) -> String {
        match self {
            Self::Service(error) => format!("{:?}", error.kind()),
            Self::Store(_) => "Store".into(),
            Self::Unreadable { .. } => "Unreadable".into(),
            Self::Encode(_) => "Encode".into(),
            Self::TenantId(_) => "TenantId".into(),
        }
    }
}
