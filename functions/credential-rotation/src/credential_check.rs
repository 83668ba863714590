use sophos_api::Owner;
use sophos_secrets::{Purpose, StoredCredential};

/// A test of a credential before it takes over.
pub trait CredentialCheck: Sync {
    /// Whether `candidate` can stand in for `current` and do what it is used
    /// for. `current` is `None` when there is none that can be read.
    ///
    /// # Errors
    /// Why not, and whether that may pass.
    fn check(
        &self,
        candidate: &StoredCredential,
        current: Option<&StoredCredential>,
        purposes: &[Purpose],
    ) -> impl Future<Output = Result<(), CredentialCheckError>> + Send;
}

/// Why a credential did not pass its test.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CredentialCheckError {
    /// Something that may be gone the next time.
    #[error("it cannot be tested now: {0}")]
    Transient(String),
    /// Nothing tells to whom it must belong.
    #[error(
        "the current credential does not say whom it belongs to, and neither it nor the new one names its \
         owner; the new one belongs to {0}: if that is right, write it into one of them as partner_id, \
         organization_id or tenant_id"
    )]
    OwnerUnknown(Owner),
    /// The credential itself is no good.
    #[error("it cannot take over: {0}")]
    Rejected(String),
}
