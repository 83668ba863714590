use secrecy::SecretString;

use crate::SecretError;

/// Reads secrets by name, such as `webhooks/pagerduty`.
pub trait SecretStore: Send + Sync {
    /// Reads a secret as it is now.
    ///
    /// # Errors
    /// When there is none of this name, or it is empty or not of the expected
    /// form. The error names the place, never a value.
    fn load(&self, name: &str) -> impl Future<Output = Result<RotatingSecret, SecretError>> + Send;
}

/// A secret, and the one before it. Both are good while senders change over.
#[derive(Debug, Clone)]
pub struct RotatingSecret {
    /// The secret.
    pub current: SecretString,
    /// The one that it replaces, until that is taken away.
    pub previous: Option<SecretString>,
}

impl RotatingSecret {
    /// Each that is good, the current one first.
    pub fn iter(&self) -> impl Iterator<Item = &SecretString> {
        std::iter::once(&self.current).chain(&self.previous)
    }
}
