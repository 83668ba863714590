//! The ids of a decision and of the alert that it is about.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The id of a decision.
///
/// It follows from the source and the sender's identity of the event: the same
/// event sent again leads to the same decision, wherever it arrives.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DecisionId(String);

const ID_PREFIX: &str = "iso-";
const BATCH_PREFIX: &str = "batch-";
const ID_LEN: usize = 24;

impl DecisionId {
    /// The id for an event of a source.
    pub fn from_event_id(source: &str, event_id: &str) -> Self {
        Self(format!("{ID_PREFIX}{}", &digest(source, event_id)[..ID_LEN]))
    }

    /// The id as it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The mark of the comments of several decisions, whose ids do not fit.
    pub(crate) fn batch_tag(ids: &[Self]) -> String {
        let all: Vec<_> = ids.iter().map(Self::as_str).collect();
        format!("{BATCH_PREFIX}{}", &digest("batch", &all.join(","))[..ID_LEN])
    }
}

/// Whether a text is a mark that this ledger gives: an administrator's comment is
/// none.
pub(super) fn is_comment_tag(text: &str) -> bool {
    let digits = text.strip_prefix(ID_PREFIX).or_else(|| text.strip_prefix(BATCH_PREFIX));
    digits.is_some_and(|digits| is_hex(digits, ID_LEN))
}

impl TryFrom<String> for DecisionId {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let digits = text.strip_prefix(ID_PREFIX).unwrap_or_default();
        if is_hex(digits, ID_LEN) {
            Ok(Self(text))
        } else {
            Err("a decision's id is iso- and 24 hexadecimal digits")
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

/// The identity of an alert, the same for every update of it.
///
/// It follows from the source and the sender's identity of the alert, as a
/// [`DecisionId`] follows from that of the event.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AlertKey(String);

const ALERT_KEY_LEN: usize = 32;

impl AlertKey {
    /// The key of an alert of a source.
    pub fn from_alert_id(source: &str, alert_id: &str) -> Self {
        Self(digest(source, alert_id)[..ALERT_KEY_LEN].to_owned())
    }

    /// The key as it is written.
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

/// The SHA-256 of a source and an identity of the sender, in hexadecimal.
fn digest(source: &str, identity: &str) -> String {
    let mut hash = Sha256::new();
    // The length keeps a source from reaching into another's events.
    hash.update((source.len() as u64).to_be_bytes());
    hash.update(source.as_bytes());
    hash.update(identity.as_bytes());
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn is_hex(text: &str, digits: usize) -> bool {
    let plain = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    text.len() == digits && text.bytes().all(plain)
}
