//! API credentials of Sophos Central, and the secrets that authenticate webhook senders.
//!
//! | location | use | credentials | secrets of senders |
//! |---|---|---|---|
//! | Secrets Manager | production | [`SecretsManagerCredentials`] | [`SecretsManagerSecrets`] |
//! | a TOML file that only its owner may read | a workstation | [`FileCredentials`] | [`FileSecrets`] |
//! | environment variables | development | [`EnvironmentCredential`] | [`EnvironmentSecrets`] |
//!
//! # Stored form
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
//! `client_id` and `client_secret` are required. Other members than these are an error,
//! which contains no value.
//!
//! | member | effect |
//! |---|---|
//! | `partner_id`, `organization_id` or `tenant_id` | the expected owner: a client fails if the service reports another one. A tenant with a credential of its own is not served by its partner's |
//! | `used_for` | `export`, `isolation` or both: other purposes skip the credential ([`PurposeSelection`]). Without it, all purposes use it |
//! | `role`, `created_at`, `expires_at` | for the audit of expiry and roles: the service does not provide them |
//!
//! # Rotation
//!
//! [`StoredCredentialSource`] is the credential source of a client, with a cache. When the
//! identity service rejects the credential, the source reads the current version without
//! the cache. Then it reads the previous version, which is valid until its deletion in
//! the console. If that is rejected as well, the error names the secret and the remedy.
//!
//! If the current version is invalid, such as after a bad paste, the source uses the
//! previous one. A rejected credential is not retried for a minute unless it is replaced.
//!
//! # Staged credentials
//!
//! Sophos Central has no operation that creates a credential. An administrator creates
//! one in the console, which shows its secret once. The administrator stages it in the
//! same secret of Secrets Manager, as a version with its own label:
//!
//! ```sh
//! aws secretsmanager put-secret-value --secret-id sophos/credentials/acme \
//!     --secret-string file://next.json --version-stages STAGED
//! ```
//!
//! A version with a label that begins with `STAGED` is a staged credential. There may be
//! several (`STAGED`, `STAGED_2`, …). Rotations take them in the order of their labels
//! ([`StagingLabels::staged`]). Being in the same secret, they need no other name,
//! permission or charge. Only rotations and audits read them.
//!
//! # Memory
//!
//! This crate clears its copies of secrets when it drops them. The buffers of the AWS SDK
//! and of TLS are not cleared.

#![deny(missing_docs)]

#[cfg(feature = "aws")]
pub mod audit;
#[cfg(feature = "aws")]
mod aws;
mod credential_check;
mod credential_store;
mod environment_credential;
mod environment_secrets;
mod file_credentials;
mod file_secrets;
mod private_file;
mod role;
mod secret_store;
mod sophos_check;
pub mod staged;
mod stored_credential;
mod stored_credential_source;

#[cfg(feature = "aws")]
pub use aws::{
    AWSCURRENT, AWSPENDING, AWSPREVIOUS, InspectedCredential, SecretDescription, SecretMetadata,
    SecretSelector, SecretVersions, SecretsManagerCredentials, SecretsManagerSecrets, StagedCredential,
    StagingLabels,
};
pub use credential_check::{CredentialCheck, CredentialCheckError};
pub use credential_store::{CredentialStore, ListedCredential, PurposeSelection, RequestedVersion};
pub use environment_credential::EnvironmentCredential;
pub use environment_secrets::EnvironmentSecrets;
pub use file_credentials::FileCredentials;
pub use file_secrets::FileSecrets;
pub use role::{Purpose, Role};
pub use secrecy::{ExposeSecret, SecretString};
pub use secret_store::{RotatingSecret, SecretStore};
pub use sophos_check::SophosCredentialCheck;
pub use stored_credential::{InvalidCredential, StoredCredential, max_expiry};
pub use stored_credential_source::StoredCredentialSource;

/// A clock: the time since any fixed moment.
type Clock = dyn Fn() -> std::time::Duration + Send + Sync;

/// The failure to read a credential or a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{location}: {message}")]
pub struct SecretError {
    location: String,
    message: String,
}

impl SecretError {
    /// Creates an error with the location, the cause and the remedy. The caller keeps
    /// secret values out of it.
    pub fn new(location: impl Into<String>, message: impl Into<String>) -> Self {
        Self { location: location.into(), message: message.into() }
    }

    /// The location: a secret's name, a variable or a file.
    pub fn location(&self) -> &str {
        &self.location
    }
}
