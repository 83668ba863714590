/// What the object store refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The object store refused or failed, or a path is none.
    #[error("object store: {0}")]
    Failed(#[from] object_store::Error),
    /// The store cannot be opened as configured.
    #[error("object store {url}: {reason}")]
    Location {
        /// What was configured.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
}
