//! The defects that a verification finds.

use std::fmt;

use serde::Serialize;

/// A defect of a committed stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "finding", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Finding {
    /// A record of the log is missing.
    LogRecordMissing {
        /// The path of the record.
        path: String,
    },
    /// A record of the log is invalid.
    LogRecordInvalid {
        /// The path of the record.
        path: String,
        /// The cause.
        reason: String,
    },
    /// A record does not start at the checkpoint of the record before it.
    CheckpointMismatch {
        /// The path of the record.
        path: String,
    },
    /// A committed object is missing.
    ObjectMissing {
        /// The path of the object.
        path: String,
    },
    /// Two commits name the same object.
    ObjectNamedTwice {
        /// The path of the object.
        path: String,
    },
    /// A committed object has another size.
    SizeDiffers {
        /// The path of the object.
        path: String,
        /// The size in the log, in bytes.
        expected: u64,
        /// The size in the store, in bytes.
        found: u64,
    },
    /// A committed object has another content.
    HashDiffers {
        /// The path of the object.
        path: String,
        /// The SHA-256 in the log, in hexadecimal.
        expected: String,
        /// The SHA-256 of the object in the store.
        found: String,
    },
    /// A committed object has another number of rows.
    RowsDiffer {
        /// The path of the object.
        path: String,
        /// The number of rows in the log.
        expected: u64,
        /// The number of rows in the object.
        found: u64,
    },
    /// The rows of a committed object cannot be read.
    Unreadable {
        /// The path of the object.
        path: String,
        /// The cause.
        reason: String,
    },
    /// A row was committed before, with the same id and revision.
    RowRepeated {
        /// The path of the object.
        path: String,
        /// The row's id.
        id: String,
        /// The row's revision.
        revision: u32,
    },
    /// An object that no commit and no run names.
    ObjectUncommitted {
        /// The path of the object.
        path: String,
        /// The size in bytes.
        bytes: u64,
    },
}

impl Finding {
    /// The path of the object.
    pub fn path(&self) -> &str {
        match self {
            Self::LogRecordMissing { path }
            | Self::LogRecordInvalid { path, .. }
            | Self::CheckpointMismatch { path }
            | Self::ObjectMissing { path }
            | Self::ObjectNamedTwice { path }
            | Self::SizeDiffers { path, .. }
            | Self::HashDiffers { path, .. }
            | Self::RowsDiffer { path, .. }
            | Self::Unreadable { path, .. }
            | Self::RowRepeated { path, .. }
            | Self::ObjectUncommitted { path, .. } => path,
        }
    }
}

/// The defect and its remedy.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const RESTORE: &str = "restore it from a version or a backup";
        match self {
            Self::LogRecordMissing { path } => write!(f, "missing log record {path}; {RESTORE}"),
            Self::LogRecordInvalid { path, reason } => {
                write!(f, "invalid log record {path}: {reason}; {RESTORE}")
            }
            Self::CheckpointMismatch { path } => {
                write!(f, "the log record {path} does not continue the one before it; {RESTORE}")
            }
            Self::ObjectMissing { path } => write!(f, "missing object {path}; {RESTORE}"),
            Self::ObjectNamedTwice { path } => {
                write!(f, "two commits name the object {path}; restore the log from a backup")
            }
            Self::SizeDiffers { path, expected, found } => {
                write!(f, "the object {path} has {found} bytes, and {expected} were committed; {RESTORE}")
            }
            Self::HashDiffers { path, found, expected } => write!(
                f,
                "the object {path} has the SHA-256 {found}, and {expected} was committed; {RESTORE}"
            ),
            Self::RowsDiffer { path, expected, found } => {
                write!(f, "the object {path} has {found} rows, and {expected} were committed; {RESTORE}")
            }
            Self::Unreadable { path, reason } => {
                write!(f, "reading the rows of {path} failed: {reason}; {RESTORE}")
            }
            Self::RowRepeated { path, id, revision } => {
                write!(f, "the row {id} (revision {revision}) of {path} was committed before; report this")
            }
            Self::ObjectUncommitted { path, bytes } => write!(
                f,
                "no commit names the object {path} ({bytes} bytes); delete it, or find out who wrote it"
            ),
        }
    }
}
