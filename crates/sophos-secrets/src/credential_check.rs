use sophos_api::Owner;

use crate::{Purpose, StoredCredential};

/// A test of a credential before a rotation.
pub trait CredentialCheck: Sync {
    /// Tests whether `candidate` can replace `current` and serves `purposes`. `current` is
    /// `None` if it is missing or invalid.
    ///
    /// # Errors
    /// The cause, and whether it is transient.
    fn check(
        &self,
        candidate: &StoredCredential,
        current: Option<&StoredCredential>,
        purposes: &[Purpose],
    ) -> impl Future<Output = Result<(), CredentialCheckError>> + Send;
}

/// The failure of a credential's test.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CredentialCheckError {
    /// A transient failure.
    #[error("testing the credential failed: {0}")]
    Transient(String),
    /// The expected owner is unknown.
    #[error(
        "the expected owner is unknown: the current credential is rejected, and neither it nor the new one has \
         an owner; the new one belongs to {0}: if that is right, add this to one of them as partner_id, \
         organization_id or tenant_id"
    )]
    OwnerUnknown(Owner),
    /// The credential is not acceptable.
    #[error("the credential is rejected: {0}")]
    Rejected(String),
}
