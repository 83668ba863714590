//! The secrets of senders, as the host has them.

use sophos_isolation::{verify::Keys, webhook::KeySource};

use crate::bindings::sophos::central::sender_secrets;

/// The imported `sender-secrets`.
#[derive(Debug, Clone, Copy)]
pub(super) struct HostKeys;

/// Reads a secret.
///
/// # Errors
/// With the host's reason.
pub(super) fn read(name: &str) -> Result<Keys, String> {
    let keys = sender_secrets::read(name)?;
    Ok(Keys::new(keys.current.into(), keys.previous.map(Into::into)))
}

impl KeySource for HostKeys {
    async fn keys(&self, name: &str) -> Result<Keys, String> {
        read(name)
    }
}
