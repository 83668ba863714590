//! The values of a sender's secret, as they were meant.

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The values of a secret that are accepted. An empty one proves nothing.
///
/// White space, line ends and a byte order mark around a value are no part of
/// it: editors and shells put them there.
#[derive(Debug, Clone)]
pub struct Keys {
    current: SecretString,
    previous: Option<SecretString>,
    format_warning: Option<&'static str>,
}

impl Keys {
    /// The value in force, and the one before it as long as the secret rotates.
    pub fn new(current: SecretString, previous: Option<SecretString>) -> Self {
        let (current, problem) = extract_key(current);
        Self { current, previous: previous.map(|previous| extract_key(previous).0), format_warning: problem }
    }

    /// The value in force alone.
    #[must_use]
    pub fn without_previous(self) -> Self {
        Self { previous: None, ..self }
    }

    /// The cause to suspect when nothing verifies with these keys, said of the
    /// secret: `is a JSON object; …`. Holds no value of it.
    pub fn format_warning(&self) -> Option<&'static str> {
        self.format_warning
    }

    /// The value in force.
    pub fn into_current(self) -> SecretString {
        self.current
    }

    pub(crate) fn versions(&self) -> impl Iterator<Item = (VersionStage, &str)> {
        let previous = self.previous.as_ref().map(|key| (VersionStage::Previous, key.expose_secret()));
        let current = (VersionStage::Current, self.current.expose_secret());
        std::iter::once(current).chain(previous).filter(|(_, key)| !key.is_empty())
    }
}

/// Which value of a secret a delivery was made with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VersionStage {
    /// The one in force; also of a scheme without a secret of ours.
    Current,
    /// The one before it.
    Previous,
}

/// The key in a stored value, and what is wrong with the way it is stored.
fn extract_key(stored: SecretString) -> (SecretString, Option<&'static str>) {
    let text = stored.expose_secret();
    let key = trim_key(text);
    // What the console of Secrets Manager makes of a key and a value.
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
