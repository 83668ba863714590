//! The values of a sender's secret, without artefacts of their storage.

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The accepted values of a secret. An empty value authenticates nothing.
///
/// White space, line ends and a byte order mark around a value are removed, because editors and
/// shells add them.
#[derive(Debug, Clone)]
pub struct Keys {
    current: SecretString,
    previous: Option<SecretString>,
    format_warning: Option<&'static str>,
}

impl Keys {
    /// Creates keys from the current value, and the previous one while the secret rotates.
    pub fn new(current: SecretString, previous: Option<SecretString>) -> Self {
        let (current, format_warning) = extract_key(current);
        Self { current, previous: previous.map(|previous| extract_key(previous).0), format_warning }
    }

    /// Returns the current value alone.
    #[must_use]
    pub fn without_previous(self) -> Self {
        Self { previous: None, ..self }
    }

    /// The likely cause if no message verifies with these keys, as a statement about the secret:
    /// `is a JSON object; …`. It contains no secret.
    pub fn format_warning(&self) -> Option<&'static str> {
        self.format_warning
    }

    /// The current value.
    pub fn into_current(self) -> SecretString {
        self.current
    }

    pub(crate) fn versions(&self) -> impl Iterator<Item = (VersionStage, &str)> {
        let previous = self.previous.as_ref().map(|key| (VersionStage::Previous, key.expose_secret()));
        let current = (VersionStage::Current, self.current.expose_secret());
        std::iter::once(current).chain(previous).filter(|(_, key)| !key.is_empty())
    }
}

/// The version of a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VersionStage {
    /// The current value; also used for schemes without a secret.
    Current,
    /// The previous value.
    Previous,
}

/// The key in a stored value, and a warning about its format.
fn extract_key(stored: SecretString) -> (SecretString, Option<&'static str>) {
    let text = stored.expose_secret();
    let key = trim_key(text);
    // The Secrets Manager console stores key-value pairs as a JSON object.
    if key.starts_with('{')
        && let Ok(Value::Object(members)) = serde_json::from_str(key)
    {
        let mut texts = members.values().filter_map(Value::as_str);
        return match (texts.next(), texts.next()) {
            (Some(only), None) => (
                trim_key(only).into(),
                Some(
                    "is a JSON object; its only text member is used as the key; store the plain key instead",
                ),
            ),
            _ => (
                key.into(),
                Some("is a JSON object without exactly one text member; store the plain key instead"),
            ),
        };
    }
    if key.len() == text.len() { (stored, None) } else { (key.into(), None) }
}

fn trim_key(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_ascii_whitespace() || c == '\u{feff}')
}
