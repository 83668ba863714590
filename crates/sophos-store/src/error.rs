/// The error code of S3 for a request that a policy or an Object Lock forbids.
const DENIED: &str = "AccessDenied";

/// A failure of the object store.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// A request to the object store failed, or a path is invalid.
    #[error("object store: {0}")]
    Backend(#[from] object_store::Error),
    /// Concurrent requests for an object kept it from being written. The object may
    /// exist or not.
    #[error(
        "object store: writing {path} failed: concurrent requests (409 ConditionalRequestConflict); retry later"
    )]
    Conflict {
        /// The object, from the bucket's root.
        path: String,
    },
    /// The store ignores conditional writes, so it overwrites existing objects.
    #[error(
        "object store {url}: the test of conditional writes failed: the store ignores If-None-Match; use Amazon \
         S3, a store that honors it, such as MinIO or Cloudflare R2, or a folder"
    )]
    ConditionalWritesUnsupported {
        /// The configured location.
        url: String,
    },
    /// The test of conditional writes failed to run.
    #[error(
        "object store: the test of conditional writes at {path} failed: {source}; allow s3:PutObject there"
    )]
    ProbeFailed {
        /// The object of the test, from the bucket's root.
        path: String,
        /// The cause.
        source: object_store::Error,
    },
    /// The configured location is invalid or cannot be opened.
    #[error("object store {url}: {reason}")]
    InvalidLocation {
        /// The configured location.
        url: String,
        /// The cause.
        reason: String,
    },
}

impl StoreError {
    /// Whether access is denied: a permission is missing, or an Object Lock holds the
    /// object.
    pub fn is_denied(&self) -> bool {
        match self {
            Self::Backend(object_store::Error::PermissionDenied { .. }) => true,
            // The response to DeleteObjects has the code in its text only.
            Self::Backend(object_store::Error::Generic { source, .. }) => source.to_string().contains(DENIED),
            _ => false,
        }
    }
}
