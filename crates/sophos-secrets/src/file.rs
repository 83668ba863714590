use std::{
    fs,
    path::{Path, PathBuf},
};

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use sophos_api::Credentials;

use crate::{CredentialSource, SourceError};

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
        let place = self.path.display().to_string();
        private(&self.path, &place)?;
        let text = fs::read_to_string(&self.path).map(SecretString::from);
        let text = text.map_err(|error| SourceError::new(&place, error.to_string()))?;
        let text = text.expose_secret();
        let form: Form = toml::from_str(text).map_err(|error| {
            // The parser quotes the line, and the line may be the secret.
            let line = error.span().map(|span| 1 + text[..span.start].matches('\n').count());
            let at = line.map(|line| format!(" at line {line}")).unwrap_or_default();
            let wanted = "it must hold client_id and client_secret, both in quotes, and nothing else";
            SourceError::new(&place, format!("is not as expected{at}; {wanted}"))
        })?;
        Ok(Credentials::new(form.client_id, form.client_secret))
    }
}

#[cfg(unix)]
fn private(path: &Path, place: &str) -> Result<(), SourceError> {
    use std::os::unix::fs::PermissionsExt;

    let mode =
        fs::metadata(path).map_err(|error| SourceError::new(place, error.to_string()))?.permissions().mode();
    if mode & 0o077 != 0 {
        let problem = format!("may be read by others (mode {:o}); run chmod 600 on it", mode & 0o777);
        return Err(SourceError::new(place, problem));
    }
    Ok(())
}

#[cfg(not(unix))]
fn private(_: &Path, _: &str) -> Result<(), SourceError> {
    Ok(())
}
