use std::{collections::BTreeMap, path::PathBuf};

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, de::Error};

use crate::{NamedSecrets, SourceError, Stages, private_file};

const WANTED: &str = "each secret must be a table such as [secrets.\"webhooks/pagerduty\"] with current, \
                      and previous while it rotates, both in quotes and not empty, and nothing else";

/// Secrets in a TOML file, which is read whenever one of them is asked for:
///
/// ```toml
/// [secrets."webhooks/pagerduty"]
/// current = "…"
/// previous = "…"
/// ```
///
/// `previous` may be left out. A file that others than its owner may read is
/// refused, and so is one of which any part is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileSecrets {
    path: PathBuf,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    #[serde(default)]
    secrets: BTreeMap<String, Secret>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Secret {
    #[serde(deserialize_with = "filled")]
    current: SecretString,
    #[serde(default, deserialize_with = "perhaps_filled")]
    previous: Option<SecretString>,
}

fn filled<'de, D: Deserializer<'de>>(value: D) -> Result<SecretString, D::Error> {
    let secret = SecretString::deserialize(value)?;
    if secret.expose_secret().trim().is_empty() { Err(D::Error::custom("empty")) } else { Ok(secret) }
}

fn perhaps_filled<'de, D: Deserializer<'de>>(value: D) -> Result<Option<SecretString>, D::Error> {
    filled(value).map(Some)
}

impl FileSecrets {
    /// The secrets in this file.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }
}

impl NamedSecrets for FileSecrets {
    async fn read(&self, name: &str) -> Result<Stages, SourceError> {
        let mut form: Form = private_file::read(&self.path, WANTED)?;
        let Some(Secret { current, previous }) = form.secrets.remove(name) else {
            let place = self.path.display().to_string();
            return Err(SourceError::new(place, format!("holds no secret {name:?}; add [secrets.{name:?}]")));
        };
        Ok(Stages { current, previous })
    }
}
