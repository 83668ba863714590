use std::{collections::BTreeMap, path::PathBuf};

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, de::Error};

use crate::{RotatingSecret, SecretError, SecretStore, private_file};

const EXPECTED: &str = "tables such as [secrets.\"webhooks/pagerduty\"] with current, and previous during a \
                      rotation, both in quotes and not empty, and nothing else";

/// Secrets in a TOML file, which is read for every request:
///
/// ```toml
/// [secrets."webhooks/pagerduty"]
/// current = "…"
/// previous = "…"
/// ```
///
/// `previous` is optional. A file that others than its owner may read is an error, and so
/// is a file with any invalid part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileSecrets {
    path: PathBuf,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SecretsDocument {
    #[serde(default)]
    secrets: BTreeMap<String, SecretTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SecretTable {
    #[serde(deserialize_with = "non_empty")]
    current: SecretString,
    #[serde(default, deserialize_with = "optional_non_empty")]
    previous: Option<SecretString>,
}

fn non_empty<'de, D: Deserializer<'de>>(value: D) -> Result<SecretString, D::Error> {
    let secret = SecretString::deserialize(value)?;
    if secret.expose_secret().trim().is_empty() { Err(D::Error::custom("empty")) } else { Ok(secret) }
}

fn optional_non_empty<'de, D: Deserializer<'de>>(value: D) -> Result<Option<SecretString>, D::Error> {
    non_empty(value).map(Some)
}

impl FileSecrets {
    /// Creates a store of this file.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }
}

impl SecretStore for FileSecrets {
    async fn load(&self, name: &str) -> Result<RotatingSecret, SecretError> {
        let mut document: SecretsDocument = private_file::load_toml(&self.path, EXPECTED)?;
        let Some(SecretTable { current, previous }) = document.secrets.remove(name) else {
            let location = self.path.display().to_string();
            return Err(SecretError::new(
                location,
                format!("missing secret {name:?}; add [secrets.{name:?}]"),
            ));
        };
        Ok(RotatingSecret { current, previous })
    }
}
