use parquet::errors::ParquetError;
use sophos_store::StoreError;

/// The failure of a run. A batch that was begun is complete after the next run; nothing
/// is lost, and no row is written twice.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The store of the export or the lake failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A record of the export or the lake in the store is invalid.
    #[error("invalid record {path}: {reason}; restore it from a version or a backup")]
    InvalidRecord {
        /// The path of the object.
        path: String,
        /// The cause.
        reason: String,
    },
    /// Encoding an object failed.
    #[error("encoding an object of class {class} failed: {source}")]
    Encode {
        /// The `class_uid`.
        class: u32,
        /// The cause.
        source: ParquetError,
    },
    /// A setting is not valid in a path, or a class has no store.
    #[error("invalid {name} \"{value}\": expected {expected}")]
    InvalidSetting {
        /// The name of the setting.
        name: &'static str,
        /// The value.
        value: String,
        /// The valid values.
        expected: &'static str,
    },
}

impl Error {
    /// The kind of the failure, which stays the same.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Store(_) => "Store",
            Self::InvalidRecord { .. } => "InvalidRecord",
            Self::Encode { .. } => "Encode",
            Self::InvalidSetting { .. } => "InvalidSetting",
        }
    }
}
