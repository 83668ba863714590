//! Secrets Manager.

mod batch;
mod credentials;
mod fetch;
mod inspection;
mod listing;
mod secrets;
mod staging_labels;
mod usage;
mod versions;

pub use credentials::SecretsManagerCredentials;
pub use fetch::{AWSCURRENT, AWSPENDING, AWSPREVIOUS};
pub use inspection::{InspectedCredential, SecretMetadata, StagedCredential};
pub use listing::SecretSelector;
pub use secrets::SecretsManagerSecrets;
pub use staging_labels::StagingLabels;
pub use versions::{SecretDescription, SecretVersions};
