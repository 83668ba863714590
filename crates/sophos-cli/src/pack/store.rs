//! Folders and buckets by their location.

use std::path::Path;

use sophos_store::{Store, StoreError};

use crate::exit::{Exit, Failure};

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::InvalidLocation { .. } => Self::usage(error.to_string()),
            error => Self::other(error.to_string()).hint(
                "check the location and its permissions; a bucket uses the AWS_… variables of this shell",
            ),
        }
    }
}

/// Opens a location to write: an `s3://bucket/prefix`, or a folder, which is created.
///
/// # Errors
/// When the location is invalid.
pub(super) fn open(location: &str) -> Result<Store, Failure> {
    Ok(Store::open(location)?)
}

/// Opens a location to read. A folder must exist.
///
/// # Errors
/// When the location is invalid, or the folder is missing.
pub(super) fn open_existing(location: &str, content: &str) -> Result<Store, Failure> {
    let folder = location.strip_prefix("file://").unwrap_or(location);
    if !location.starts_with("s3://") && !Path::new(folder).is_dir() {
        let missing = format!("missing folder \"{folder}\": expected the folder of {content}");
        return Err(
            Failure::new(Exit::NotFound, missing).hint("check the path; a bucket is s3://bucket/prefix")
        );
    }
    open(location)
}
