/// The code of S3 for what a policy or an Object Lock does not allow.
const DENIED: &str = "AccessDenied";

/// What the object store refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The object store refused or failed, or a path is none.
    #[error("object store: {0}")]
    Backend(#[from] object_store::Error),
    /// Requests of others for an object did not end, so that it could not be written,
    /// and nothing is known of what is there.
    #[error(
        "object store: other requests for {path} are under way (409 ConditionalRequestConflict); try again in \
         a while"
    )]
    Conflict {
        /// The object, from the bucket's root.
        path: String,
    },
    /// The store overwrites objects that it must not overwrite.
    #[error(
        "object store {url}: the test of conditional writes failed: the store ignores If-None-Match; use Amazon \
         S3, a store that honors it, such as MinIO or Cloudflare R2, or a folder"
    )]
    ConditionalWritesUnsupported {
        /// What was configured.
        url: String,
    },
    /// The test of conditional writes could not be made.
    #[error(
        "object store: the test of conditional writes at {path} failed: {source}; allow s3:PutObject there"
    )]
    ProbeFailed {
        /// The object of the test, from the bucket's root.
        path: String,
        /// What the store answered.
        source: object_store::Error,
    },
    /// The store cannot be opened as configured.
    #[error("object store {url}: {reason}")]
    InvalidLocation {
        /// What was configured.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl StoreError {
    /// Whether the store does not allow it: a right is missing, or an Object Lock
    /// holds the object.
    pub fn is_denied(&self) -> bool {
        match self {
            Self::Backend(object_store::Error::PermissionDenied { .. }) => true,
            // The answer to a deletion of many names the reason in its text only.
            Self::Backend(object_store::Error::Generic { source, .. }) => source.to_string().contains(DENIED),
            _ => false,
        }
    }
}
