use std::{collections::BTreeMap, future::ready, path::PathBuf, sync::Arc};

use serde::Deserialize;
use sophos_api::BoxFuture;

use crate::{
    CredentialStore, ListedCredential, RequestedVersion, SecretError, StoredCredential, private_file,
    stored_credential::{CredentialDocument, EXPECTED},
};

/// Credentials in a TOML file, which is read whenever one is asked for: one
///
/// ```toml
/// client_id = "…"
/// client_secret = "…"
/// ```
///
/// or several, each in a table with its name:
///
/// ```toml
/// [credentials."partner"]
/// client_id = "…"
/// client_secret = "…"
/// partner_id = "…"
/// ```
///
/// with the members that [the crate's documentation](crate) lists. A file that
/// others than its owner may read is refused.
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
    /// The name of a credential that is alone in its file.
    pub const NAME: &'static str = "file";

    /// The credentials in this file.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    fn load_all(&self) -> Result<Vec<ListedCredential>, SecretError> {
        let place = self.path.display().to_string();
        let wanted = format!("it must hold {EXPECTED}; or tables such as [credentials.partner] that do");
        let text = private_file::read_text(&self.path)?;
        let several =
            private_file::parse_toml::<toml::Table>(&text, &place, &wanted)?.contains_key("credentials");
        let forms = if several {
            private_file::parse_toml::<CredentialsDocument>(&text, &place, &wanted)?.credentials
        } else {
            BTreeMap::from([(Self::NAME.to_owned(), private_file::parse_toml(&text, &place, &wanted)?)])
        };
        let listed = |(name, form): (String, CredentialDocument)| {
            let read =
                form.into_credential().map_err(|error| SecretError::new(format!("{place}: {name}"), error));
            ListedCredential::new(name, read)
        };
        Ok(forms.into_iter().map(listed).collect())
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
        let read = if version == RequestedVersion::Previous { Ok(None) } else { self.load_one(name) };
        Box::pin(ready(read))
    }
}
