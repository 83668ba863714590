use std::{collections::BTreeMap, future::ready, path::PathBuf, sync::Arc};

use serde::Deserialize;
use sophos_api::BoxFuture;

use crate::{
    CredentialStore, Listed, SourceError, StoredCredential, Version, private_file,
    stored::{Form, WANTED},
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
struct Several {
    credentials: BTreeMap<String, Form>,
}

impl FileCredentials {
    /// The name of a credential that is alone in its file.
    pub const NAME: &'static str = "file";

    /// The credentials in this file.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    fn now(&self) -> Result<Vec<Listed>, SourceError> {
        let place = self.path.display().to_string();
        let wanted = format!("it must hold {WANTED}; or tables such as [credentials.partner] that do");
        let text = private_file::text(&self.path)?;
        let several = private_file::parse::<toml::Table>(&text, &place, &wanted)?.contains_key("credentials");
        let forms = if several {
            private_file::parse::<Several>(&text, &place, &wanted)?.credentials
        } else {
            BTreeMap::from([(Self::NAME.to_owned(), private_file::parse(&text, &place, &wanted)?)])
        };
        let listed = |(name, form): (String, Form)| {
            let read = form.read().map_err(|error| SourceError::new(format!("{place}: {name}"), error));
            Listed::new(name, read)
        };
        Ok(forms.into_iter().map(listed).collect())
    }

    fn one(&self, name: &str) -> Result<Option<Arc<StoredCredential>>, SourceError> {
        let found = self.now()?.into_iter().find(|listed| listed.name == name);
        found.map(|listed| listed.credential).transpose()
    }
}

impl CredentialStore for FileCredentials {
    fn list(&self) -> BoxFuture<'_, Result<Vec<Listed>, SourceError>> {
        Box::pin(ready(self.now()))
    }

    fn read<'a>(
        &'a self,
        name: &'a str,
        version: Version,
    ) -> BoxFuture<'a, Result<Option<Arc<StoredCredential>>, SourceError>> {
        let read = if version == Version::Previous { Ok(None) } else { self.one(name) };
        Box::pin(ready(read))
    }
}
