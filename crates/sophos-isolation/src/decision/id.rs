//! The id of a decision.

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
const ID_DIGITS: usize = 24;

impl DecisionId {
    /// The id for an event of a source.
    pub fn of(source: &str, event_id: &str) -> Self {
        let mut hash = Sha256::new();
        // The length keeps a source from reaching into another's events.
        hash.update((source.len() as u64).to_be_bytes());
        hash.update(source.as_bytes());
        hash.update(event_id.as_bytes());
        let digits: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        Self(format!("{ID_PREFIX}{}", &digits[..ID_DIGITS]))
    }

    /// The id as it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for DecisionId {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let digits = text.strip_prefix(ID_PREFIX).unwrap_or_default();
        let plain = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if digits.len() == ID_DIGITS && digits.bytes().all(plain) {
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
