use std::{collections::BTreeMap, future::ready, path::PathBuf, sync::Arc};

use serde::Deserialize;
use sophos_api::BoxFuture;

use crate::{
    CredentialStore, ListedCredential, RequestedVersion, SecretError, StoredCredential, private_file,
    stored_credential::{CredentialDocument, EXPECTED},
};

/// Credentials in a TOML file, which is read for every request. It has one credential:
///
/// ```toml
/// client_id = "…"
/// client_secret = "…"
/// ```
///
/// or several, each in a table under its name:
///
/// ```toml
/// [credentials."partner"]
/// client_id = "…"
/// client_secret = "…"
/// partner_id = "…"
/// ```
///
/// [The crate's documentation](crate) lists the members. A file that others than its
/// owner may read is an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileCredentials {
    path: PathBuf,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CredentialsDocument {
    credentials: BTreeMap<String, CredentialDocument>,
}

impl FileCredentials {
    /// The name of a credential without a table.
    pub const NAME: &'static str = "file";

    /// Creates a store of this file.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    fn load_all(&self) -> Result<Vec<ListedCredential>, SecretError> {
        let location = self.path.display().to_string();
        let expected = format!("{EXPECTED}; or tables such as [credentials.partner] with these");
        let text = private_file::read_text(&self.path)?;
        let has_tables =
            private_file::parse_toml::<toml::Table>(&text, &location, &expected)?.contains_key("credentials");
        let documents = if has_tables {
            private_file::parse_toml::<CredentialsDocument>(&text, &location, &expected)?.credentials
        } else {
            BTreeMap::from([(Self::NAME.to_owned(), private_file::parse_toml(&text, &location, &expected)?)])
        };
        let listed = |(name, document): (String, CredentialDocument)| {
            let credential = document
                .into_credential()
                .map_err(|error| SecretError::new(format!("{location}: {name}"), error.to_string()));
            ListedCredential::new(name, credential)
        };
        Ok(documents.into_iter().map(listed).collect())
    }

    fn load_one(&self, name: &str) -> Result<Option<Arc<StoredCredential>>, SecretError> {
        let found = self.load_all()?.into_iter().find(|listed| listed.name == name);
        found.map(|listed| listed.credential).transpose()
    }
}

impl CredentialStore for FileCredentials {
    fn list(&self) -> BoxFuture<'_, Result<Vec<ListedCredential>, SecretError>> {
        Box::pin(ready(self.load_all()))
    }

    fn load<'a>(
        &'a self,
        name: &'a str,
        version: RequestedVersion,
    ) -> BoxFuture<'a, Result<Option<Arc<StoredCredential>>, SecretError>> {
        let loaded = if version == RequestedVersion::Previous { Ok(None) } else { self.load_one(name) };
        Box::pin(ready(loaded))
    }
}
