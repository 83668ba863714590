//! Where API credentials of Sophos Central come from.
//!
//! A [`CredentialSource`] reads one credential anew whenever it is asked, so
//! that a credential that was replaced is found by asking again.

#![deny(missing_docs)]

mod environment;
mod file;

pub use environment::EnvironmentSource;
pub use file::FileSource;

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

/// A credential that cannot be read.
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

    /// Where the credential was looked for: a variable, a file.
    pub fn place(&self) -> &str {
        &self.place
    }
}
