/// What the object store refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The object store refused or failed, or a path is none.
    #[error("object store: {0}")]
    Failed(#[from] object_store::Error),
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
    /// The store cannot be opened as configured.
    #[error("object store {url}: {reason}")]
    Location {
        /// What was configured.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
}
