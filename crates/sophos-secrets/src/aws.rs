//! Secrets Manager.

mod batch;
mod fetch;
mod labels;
mod listing;
mod manager;
mod secrets;
mod survey;
mod usage;
mod versions;

pub use fetch::{CURRENT, PENDING, PREVIOUS};
pub use labels::Labels;
pub use listing::Selection;
pub use manager::SecretsManager;
pub use secrets::ManagedSecrets;
pub use survey::{Managed, Staged, Surveyed};
pub use versions::{Described, SecretVersions};
