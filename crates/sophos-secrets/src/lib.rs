//! Where API credentials of Sophos Central come from, and the secrets by which
//! senders of webhooks prove themselves.
//!
//! | place | for | credentials | secrets of senders |
//! |---|---|---|---|
//! | Secrets Manager | production | [`SecretsManagerCredentials`] | [`SecretsManagerSecrets`] |
//! | a TOML file that only its owner may read | a workstation | [`FileCredentials`] | [`FileSecrets`] |
//! | environment variables | development | [`EnvironmentCredential`] | [`EnvironmentSecrets`] |
//!
//! # A credential as it is stored
//!
//! ```json
//! {
//!   "client_id": "…", "client_secret": "…",
//!   "partner_id": "…",
//!   "role": "read_only",
//!   "created_at": "2026-11-01", "expires_at": "2029-11-01",
//!   "used_for": ["export"]
//! }
//! ```
//!
//! The first two are all that must be there. `partner_id`, `organization_id` or
//! `tenant_id` says what it serves: a client refuses to work with it if the
//! service says otherwise, and a tenant that has a credential of its own is not
//! served by its partner's. `used_for` says what it is used for, `export`,
//! `isolation` or both: whatever does something else passes it over, as if it were
//! not there ([`PurposeSelection`]). One that does not say serves everything. The rest is for
//! the watch over expiry and roles: the service tells none of it. Anything else in
//! it is an error, which names the member and never shows a value.
//!
//! # A credential that rotates
//!
//! [`StoredCredentialSource`] is what a client reads from. It keeps what was read for a
//! while. When the identity service refuses it, the store is asked once past the
//! cache, and then for the version before, which is good until somebody deletes
//! it in the console; if that is refused too, the error names the secret and
//! says what to do. In place of a version that is no credential at all, such as
//! one that was pasted badly, the one before is used. What was refused is not
//! tried again for a while unless it was replaced, so that a bad secret is not
//! hammered on.
//!
//! # A credential that waits
//!
//! Sophos Central has no operation that creates a credential: an administrator
//! makes one in the console, which shows its secret once, and stages it in the
//! same secret of Secrets Manager, as a version with a label of its own:
//!
//! ```sh
//! aws secretsmanager put-secret-value --secret-id sophos/credentials/acme \
//!     --secret-string file://next.json --version-stages STAGED
//! ```
//!
//! A version with a label that begins with `STAGED` is a credential that waits to
//! become the current one. There may be several (`STAGED`, `STAGED_2`, …), whose
//! turn comes in the order of their labels ([`StagingLabels::staged`]). They are in the
//! same secret so that they need no other name, right or price, and nobody but a
//! rotation and a watch ever reads them.
//!
//! # What is cleared from memory
//!
//! What this crate holds of a secret is cleared when it is dropped. The buffers
//! in which the AWS SDK and TLS received it, and those in which a request was
//! built, are theirs, and are not.

#![deny(missing_docs)]

#[cfg(feature = "aws")]
mod aws;
mod credential_store;
mod environment_credential;
mod environment_secrets;
mod file_credentials;
mod file_secrets;
mod private_file;
mod role;
mod secret_store;
mod stored_credential;
mod stored_credential_source;

#[cfg(feature = "aws")]
pub use aws::{
    AWSCURRENT, AWSPENDING, AWSPREVIOUS, InspectedCredential, SecretDescription, SecretMetadata,
    SecretSelector, SecretVersions, SecretsManagerCredentials, SecretsManagerSecrets, StagedCredential,
    StagingLabels,
};
pub use credential_store::{CredentialStore, ListedCredential, PurposeSelection, RequestedVersion};
pub use environment_credential::EnvironmentCredential;
pub use environment_secrets::EnvironmentSecrets;
pub use file_credentials::FileCredentials;
pub use file_secrets::FileSecrets;
pub use role::{Purpose, Role};
pub use secrecy::{ExposeSecret, SecretString};
pub use secret_store::{RotatingSecret, SecretStore};
pub use stored_credential::{StoredCredential, max_expiry};
pub use stored_credential_source::StoredCredentialSource;

/// The time since any fixed moment.
type Clock = dyn Fn() -> std::time::Duration + Send + Sync;

/// A credential or a secret that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{location}: {message}")]
pub struct SecretError {
    location: String,
    message: String,
}

impl SecretError {
    /// What is wrong with `location`, and what to do. Holds no value of it.
    pub fn new(location: impl Into<String>, message: impl Into<String>) -> Self {
        Self { location: location.into(), message: message.into() }
    }

    /// Where it was looked for: a secret's name, a variable, a file.
    pub fn location(&self) -> &str {
        &self.location
    }
}
