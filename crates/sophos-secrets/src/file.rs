use std::path::PathBuf;

use secrecy::SecretString;
use serde::Deserialize;
use sophos_api::Credentials;

use crate::{CredentialSource, SourceError, private_file};

/// A credential in a TOML file:
///
/// ```toml
/// client_id = "…"
/// client_secret = "…"
/// ```
///
/// A file that others than its owner may read is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileSource {
    path: PathBuf,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    client_id: String,
    client_secret: SecretString,
}

impl FileSource {
    /// The credential in this file.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }
}

impl CredentialSource for FileSource {
    async fn read(&self) -> Result<Credentials, SourceError> {
        let wanted = "it must hold client_id and client_secret, both in quotes, and nothing else";
        let form: Form = private_file::read(&self.path, wanted)?;
        Ok(Credentials::new(form.client_id, form.client_secret))
    }
}
