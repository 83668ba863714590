use std::{
    env::{self, VarError},
    future::ready,
    sync::Arc,
};

use sophos_api::{BoxFuture, Credentials};

use crate::{CredentialStore, Listed, SourceError, StoredCredential, Version};

/// One credential in two environment variables. For development: anybody who
/// may read a function's configuration reads its variables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvironmentCredential {
    client_id: String,
    client_secret: String,
}

impl EnvironmentCredential {
    /// The name of the credential.
    pub const NAME: &'static str = "environment";

    /// The credential in the variables of these names.
    pub fn new(client_id: impl Into<String>, client_secret: impl Into<String>) -> Self {
        Self { client_id: client_id.into(), client_secret: client_secret.into() }
    }

    fn now(&self) -> Result<StoredCredential, SourceError> {
        let read = |name: &str| variable(name, env::var(name));
        Ok(StoredCredential::of(Credentials::new(read(&self.client_id)?, read(&self.client_secret)?)))
    }
}

impl CredentialStore for EnvironmentCredential {
    fn list(&self) -> BoxFuture<'_, Result<Vec<Listed>, SourceError>> {
        Box::pin(ready(Ok(vec![Listed::new(Self::NAME, self.now())])))
    }

    fn read<'a>(
        &'a self,
        name: &'a str,
        version: Version,
    ) -> BoxFuture<'a, Result<Option<Arc<StoredCredential>>, SourceError>> {
        let there = name == Self::NAME && version != Version::Previous;
        Box::pin(ready(there.then(|| self.now().map(Arc::new)).transpose()))
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
