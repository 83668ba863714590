//! The imported `webhook-secrets`.

use sophos_isolation::{BackendError, verify::Keys, webhook::KeySource};

use crate::bindings::sophos::central::webhook_secrets;

/// The imported `webhook-secrets`.
#[derive(Debug, Clone, Copy)]
pub(super) struct HostSecrets;

/// Loads a secret.
///
/// # Errors
/// The host's error.
pub(super) fn get_keys(name: &str) -> Result<Keys, String> {
    let keys = webhook_secrets::get(name)?;
    Ok(Keys::new(keys.current.into(), keys.previous.map(Into::into)))
}

impl KeySource for HostSecrets {
    async fn load_keys(&self, name: &str) -> Result<Keys, BackendError> {
        get_keys(name).map_err(BackendError::new)
    }
}
