use std::fmt;

use secrecy::{ExposeSecret, SecretBox};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A numeric code in a request.
///
/// The last copy clears it from memory. Debug output does not show it; serialization
/// does.
#[derive(Clone)]
pub struct SecretNumber(SecretBox<i64>);

impl SecretNumber {
    /// The number itself.
    pub fn expose(&self) -> i64 {
        *self.0.expose_secret()
    }
}

impl fmt::Debug for SecretNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretNumber([REDACTED])")
    }
}

/// Two secrets are equal if their numbers are.
impl PartialEq for SecretNumber {
    fn eq(&self, other: &Self) -> bool {
        self.expose() == other.expose()
    }
}

impl Eq for SecretNumber {}

impl From<i64> for SecretNumber {
    fn from(number: i64) -> Self {
        Self(SecretBox::new(Box::new(number)))
    }
}

impl Serialize for SecretNumber {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(self.expose())
    }
}

impl<'de> Deserialize<'de> for SecretNumber {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        i64::deserialize(deserializer).map(Self::from)
    }
}
