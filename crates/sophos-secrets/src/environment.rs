use std::env::{self, VarError};

use sophos_api::Credentials;

use crate::{CredentialSource, SourceError};

/// A credential in two environment variables. For development: anybody who may
/// read a function's configuration reads its variables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvironmentSource {
    client_id: String,
    client_secret: String,
}

impl EnvironmentSource {
    /// The credential in the variables of these names.
    pub fn new(client_id: impl Into<String>, client_secret: impl Into<String>) -> Self {
        Self { client_id: client_id.into(), client_secret: client_secret.into() }
    }
}

impl CredentialSource for EnvironmentSource {
    async fn read(&self) -> Result<Credentials, SourceError> {
        let read = |name: &str| variable(name, env::var(name));
        Ok(Credentials::new(read(&self.client_id)?, read(&self.client_secret)?))
    }
}

/// The value of a variable, which must be set to something.
pub(crate) fn variable(name: &str, value: Result<String, VarError>) -> Result<String, SourceError> {
    match value {
        Ok(value) if !value.trim().is_empty() => Ok(value),
        Ok(_) => Err(SourceError::new(name, "is empty; set it to the credential's value")),
        Err(VarError::NotPresent) => Err(SourceError::new(name, "is not set")),
        Err(VarError::NotUnicode(_)) => Err(SourceError::new(name, "is not text")),
    }
}
