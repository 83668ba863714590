use secrecy::SecretString;

use crate::SecretError;

/// A store of secrets by name, such as `webhooks/pagerduty`.
pub trait SecretStore: Send + Sync {
    /// Loads a secret, perhaps from a cache.
    ///
    /// # Errors
    /// When the secret is missing, empty or invalid. The error has the location, and no
    /// value.
    fn load(&self, name: &str) -> impl Future<Output = Result<RotatingSecret, SecretError>> + Send;
}

/// A secret with its previous value. Both are valid while senders change over.
#[derive(Debug, Clone)]
pub struct RotatingSecret {
    /// The current value.
    pub current: SecretString,
    /// The previous value, until its removal.
    pub previous: Option<SecretString>,
}

impl RotatingSecret {
    /// The valid values, the current one first.
    pub fn iter(&self) -> impl Iterator<Item = &SecretString> {
        std::iter::once(&self.current).chain(&self.previous)
    }
}
