//! The secrets of senders, as the host has them.

use sophos_isolation::{verify::Keys, webhook::KeySource};

use crate::bindings::sophos::central::webhook_secrets;

/// The imported `webhook-secrets`.
#[derive(Debug, Clone, Copy)]
pub(super) struct HostSecrets;

/// Reads a secret.
///
/// # Errors
/// With the host's reason.
pub(super) fn get_keys(name: &str) -> Result<Keys, String> {
    let keys = webhook_secrets::get(name)?;
    Ok(Keys::new(keys.current.into(), keys.previous.map(Into::into)))
}

impl KeySource for HostSecrets {
    async fn load_keys(&self, name: &str) -> Result<Keys, String> {
        get_keys(name)
    }
}
