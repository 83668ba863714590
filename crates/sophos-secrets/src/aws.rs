//! Secrets Manager.

mod fetch;
mod listing;
mod manager;
mod secrets;

pub use listing::Selection;
pub use manager::SecretsManager;
pub use secrets::ManagedSecrets;
