//! Secrets Manager.

mod batch;
mod fetch;
mod staging_labels;
mod listing;
mod credentials;
mod secrets;
mod inspection;
mod usage;
mod versions;

pub use fetch::{AWSCURRENT, AWSPENDING, AWSPREVIOUS};
pub use staging_labels::StagingLabels;
pub use listing::SecretSelector;
pub use credentials::SecretsManagerCredentials;
pub use secrets::SecretsManagerSecrets;
pub use inspection::{SecretMetadata, StagedCredential, InspectedCredential};
pub use versions::{SecretDescription, SecretVersions};
