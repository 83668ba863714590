use std::{
    env::{self, VarError},
    future::ready,
    sync::Arc,
};

use sophos_api::{BoxFuture, Credentials};

use crate::{CredentialStore, ListedCredential, RequestedVersion, SecretError, StoredCredential};

/// One credential in two environment variables. For development only: everyone with read
/// access to a function's configuration sees its variables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvironmentCredential {
    client_id: String,
    client_secret: String,
}

impl EnvironmentCredential {
    /// The name of the credential.
    pub const NAME: &'static str = "environment";

    /// Creates a store of the credential in the variables of these names.
    pub fn new(client_id: impl Into<String>, client_secret: impl Into<String>) -> Self {
        Self { client_id: client_id.into(), client_secret: client_secret.into() }
    }

    fn load_credential(&self) -> Result<StoredCredential, SecretError> {
        let read = |name: &str| non_empty_variable(name, env::var(name));
        Ok(StoredCredential::new(Credentials::new(read(&self.client_id)?, read(&self.client_secret)?)))
    }
}

impl CredentialStore for EnvironmentCredential {
    fn list(&self) -> BoxFuture<'_, Result<Vec<ListedCredential>, SecretError>> {
        Box::pin(ready(Ok(vec![ListedCredential::new(Self::NAME, self.load_credential())])))
    }

    fn load<'a>(
        &'a self,
        name: &'a str,
        version: RequestedVersion,
    ) -> BoxFuture<'a, Result<Option<Arc<StoredCredential>>, SecretError>> {
        let exists = name == Self::NAME && version != RequestedVersion::Previous;
        Box::pin(ready(exists.then(|| self.load_credential().map(Arc::new)).transpose()))
    }
}

/// The value of a variable.
///
/// # Errors
/// When the variable is unset, empty or not Unicode.
pub(crate) fn non_empty_variable(name: &str, value: Result<String, VarError>) -> Result<String, SecretError> {
    match value {
        Ok(value) if !value.trim().is_empty() => Ok(value),
        Ok(_) => Err(SecretError::new(name, "is empty; set it")),
        Err(VarError::NotPresent) => Err(SecretError::new(name, "is not set; set it")),
        Err(VarError::NotUnicode(_)) => Err(SecretError::new(name, "is not Unicode; set it to text")),
    }
}
