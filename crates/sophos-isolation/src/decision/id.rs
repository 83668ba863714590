//! The ids of decisions and alerts.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The id of a decision.
///
/// It is a digest of the source and the sender's event id, so a repeated event
/// has the same decision wherever it arrives.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DecisionId(String);

pub(super) const ID_PREFIX: &str = "iso-";

/// The number of hexadecimal digits in an id.
pub(super) const ID_LEN: usize = 24;

impl DecisionId {
    /// Returns the id for an event of a source.
    pub fn from_event_id(source: &str, event_id: &str) -> Self {
        Self(format!("{ID_PREFIX}{}", &digest(source, event_id)[..ID_LEN]))
    }

    /// Returns the id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for DecisionId {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let digits = text.strip_prefix(ID_PREFIX).unwrap_or_default();
        if is_hex(digits, ID_LEN) {
            Ok(Self(text))
        } else {
            Err("invalid decision id: expected iso- and 24 hexadecimal digits")
        }
    }
}

impl From<DecisionId> for String {
    fn from(id: DecisionId) -> Self {
        id.0
    }
}

impl std::str::FromStr for DecisionId {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::try_from(text.trim().to_owned())
    }
}

impl fmt::Display for DecisionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The key of an alert, the same for all of its updates: a digest of the source
/// and the sender's alert id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AlertKey(String);

const ALERT_KEY_LEN: usize = 32;

impl AlertKey {
    /// Returns the key of an alert of a source.
    pub fn from_alert_id(source: &str, alert_id: &str) -> Self {
        Self(digest(source, alert_id)[..ALERT_KEY_LEN].to_owned())
    }

    /// Returns the key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for AlertKey {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if is_hex(&text, ALERT_KEY_LEN) {
            Ok(Self(text))
        } else {
            Err("invalid alert key: expected 32 hexadecimal digits")
        }
    }
}

impl From<AlertKey> for String {
    fn from(key: AlertKey) -> Self {
        key.0
    }
}

impl fmt::Display for AlertKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Returns the SHA-256 of a source and an id of the sender, in hexadecimal.
pub(super) fn digest(source: &str, identity: &str) -> String {
    let mut hash = Sha256::new();
    // The length prevents two sources from sharing a digest.
    hash.update((source.len() as u64).to_be_bytes());
    hash.update(source.as_bytes());
    hash.update(identity.as_bytes());
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(super) fn is_hex(text: &str, digits: usize) -> bool {
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    text.len() == digits && text.bytes().all(is_digit)
}
