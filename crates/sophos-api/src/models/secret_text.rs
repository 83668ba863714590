use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A password, code or token in a request or a response.
///
/// The last copy clears it from memory. Debug output does not show it; serialization
/// does.
#[derive(Debug, Clone)]
pub struct SecretText(SecretString);

impl SecretText {
    /// The text itself.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

/// Two secrets are equal if their texts are.
impl PartialEq for SecretText {
    fn eq(&self, other: &Self) -> bool {
        self.expose() == other.expose()
    }
}

impl Eq for SecretText {}

impl From<String> for SecretText {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl From<&str> for SecretText {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl Serialize for SecretText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.expose())
    }
}

impl<'de> Deserialize<'de> for SecretText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::from)
    }
}

#[cfg(test)]
impl crate::operation::tested::Sample for SecretText {
    fn sample() -> Self {
        "x".into()
    }
}

#[cfg(test)]
mod tests {
    use super::SecretText;

    #[test]
    fn debug_output_hides_the_text() {
        let secret = SecretText::from("tamper-password");

        assert!(!format!("{secret:?}").contains("tamper-password"));
        assert_eq!(serde_json::to_string(&secret).unwrap(), "\"tamper-password\"");
    }
}
