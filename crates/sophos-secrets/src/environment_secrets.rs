use std::env::{self, VarError};

use crate::{RotatingSecret, SecretError, SecretStore, environment_credential::non_empty_variable};

const PREVIOUS_SUFFIX: &str = "_PREVIOUS";

/// Secrets in environment variables. For development: anybody who may read a
/// function's configuration reads its variables.
///
/// With the prefix `SECRET_` the secret `webhooks/pagerduty` is in
/// `SECRET_WEBHOOKS_PAGERDUTY`, and the one before it, if there is one, in
/// `SECRET_WEBHOOKS_PAGERDUTY_PREVIOUS`. So names that differ only in case or
/// in signs name the same secret, and none may end in `previous` after a sign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvironmentSecrets {
    prefix: String,
}

impl EnvironmentSecrets {
    /// The secrets in variables with this prefix.
    pub fn new(prefix: impl Into<String>) -> Self {
        Self { prefix: prefix.into() }
    }

    /// The variable that holds this secret.
    pub fn variable_name(&self, name: &str) -> String {
        let sign = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
        self.prefix.chars().chain(name.chars().map(sign)).collect()
    }

    fn load_with(
        &self,
        name: &str,
        value: impl Fn(&str) -> Result<String, VarError>,
    ) -> Result<RotatingSecret, SecretError> {
        let current = self.variable_name(name);
        if current.ends_with(PREVIOUS_SUFFIX) {
            return Err(SecretError::new(current, "would hold another secret's previous value; rename it"));
        }
        let previous = format!("{current}{PREVIOUS_SUFFIX}");
        let read = |name: &str| non_empty_variable(name, value(name)).map(Into::into);
        Ok(RotatingSecret {
            current: read(&current)?,
            previous: match value(&previous) {
                Err(VarError::NotPresent) => None,
                _ => Some(read(&previous)?),
            },
        })
    }
}

impl SecretStore for EnvironmentSecrets {
    async fn load(&self, name: &str) -> Result<RotatingSecret, SecretError> {
        self.load_with(name, |name| env::var(name))
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    fn read(name: &str, variables: &[(&str, &str)]) -> Result<Vec<String>, String> {
        let value = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned()).ok_or(VarError::NotPresent)
        };
        let stages = EnvironmentSecrets::new("SECRET_").load_with(name, value);
        let texts =
            |stages: RotatingSecret| stages.iter().map(|secret| secret.expose_secret().to_owned()).collect();
        stages.map(texts).map_err(|error| error.to_string())
    }

    #[test]
    fn current_and_previous_are_loaded() {
        let one = ("SECRET_WEBHOOKS_PAGER_DUTY2", "hush");
        let both = [one, ("SECRET_WEBHOOKS_PAGER_DUTY2_PREVIOUS", "older hush")];
        assert_eq!(read("webhooks/pager-duty2", &[one]), Ok(vec!["hush".to_owned()]));
        assert_eq!(read("webhooks/pager-duty2", &both), Ok(vec!["hush".to_owned(), "older hush".to_owned()]));
        assert_eq!(EnvironmentSecrets::new("S_").variable_name("bücher.a"), "S_B_CHER_A");
    }

    #[test]
    fn missing_or_empty_variable_is_named() {
        let current = ("SECRET_A", "hush");
        for (name, variables, expected) in [
            ("a", vec![], "SECRET_A: is not set"),
            ("a", vec![("SECRET_A_PREVIOUS", "hush")], "SECRET_A: is not set"),
            ("a", vec![("SECRET_A", " ")], "SECRET_A: is empty"),
            ("a", vec![current, ("SECRET_A_PREVIOUS", "")], "SECRET_A_PREVIOUS: is empty"),
            ("a/previous", vec![("SECRET_A_PREVIOUS", "hush")], "another secret's previous value"),
        ] {
            let error = read(name, &variables).expect_err(expected);
            assert!(error.contains(expected), "{error}");
            assert!(!error.contains("hush"), "{error}");
        }
    }
}
