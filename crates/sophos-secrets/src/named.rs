use secrecy::SecretString;

use crate::SourceError;

/// Reads secrets by name, such as `webhooks/pagerduty`.
pub trait NamedSecrets: Send + Sync {
    /// Reads a secret as it is now.
    ///
    /// # Errors
    /// When there is none of this name, or it is empty or not of the expected
    /// form. The error names the place, never a value.
    fn read(&self, name: &str) -> impl Future<Output = Result<Stages, SourceError>> + Send;
}

/// A secret, and the one before it. Both are good while senders change over.
#[derive(Debug, Clone)]
pub struct Stages {
    /// The secret.
    pub current: SecretString,
    /// The one that it replaces, until that is taken away.
    pub previous: Option<SecretString>,
}

impl Stages {
    /// Each that is good, the current one first.
    pub fn each(&self) -> impl Iterator<Item = &SecretString> {
        std::iter::once(&self.current).chain(&self.previous)
    }
}
