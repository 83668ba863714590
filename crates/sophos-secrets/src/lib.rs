//! Where API credentials of Sophos Central come from, and the secrets by which
//! senders of webhooks prove themselves.
//!
//! A [`CredentialSource`] reads one credential anew whenever it is asked, so
//! that a credential that was replaced is found by asking again. So does
//! [`NamedSecrets`] for each of many secrets.

#![deny(missing_docs)]

mod environment;
mod file;
mod named;
mod named_environment;
mod named_file;
mod private_file;

pub use environment::EnvironmentSource;
pub use file::FileSource;
pub use named::{NamedSecrets, Stages};
pub use named_environment::EnvironmentSecrets;
pub use named_file::FileSecrets;
pub use secrecy::{ExposeSecret, SecretString};

use sophos_api::Credentials;

/// Reads a credential.
pub trait CredentialSource: Send + Sync {
    /// Reads the credential as it is now.
    ///
    /// # Errors
    /// When there is none, or it is not of the expected form. The error names
    /// the place, never a value.
    fn read(&self) -> impl Future<Output = Result<Credentials, SourceError>> + Send;
}

/// A credential or a secret that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {problem}")]
pub struct SourceError {
    place: String,
    problem: String,
}

impl SourceError {
    fn new(place: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { place: place.into(), problem: problem.into() }
    }

    /// Where it was looked for: a variable, a file.
    pub fn place(&self) -> &str {
        &self.place
    }
}
