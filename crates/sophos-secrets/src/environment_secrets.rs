use std::env::{self, VarError};

use crate::{RotatingSecret, SecretError, SecretStore, environment_credential::non_empty_variable};

const PREVIOUS_SUFFIX: &str = "_PREVIOUS";

/// Secrets in environment variables. For development only: everyone with read access to
/// a function's configuration sees its variables.
///
/// With the prefix `SECRET_`, the secret `webhooks/pagerduty` is in
/// `SECRET_WEBHOOKS_PAGERDUTY`, and its previous value in
/// `SECRET_WEBHOOKS_PAGERDUTY_PREVIOUS`. Names that differ only in case or punctuation
/// share a variable. No name may end in `previous` after punctuation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvironmentSecrets {
    prefix: String,
}

impl EnvironmentSecrets {
    /// Creates a store of the variables with this prefix.
    pub fn new(prefix: impl Into<String>) -> Self {
        Self { prefix: prefix.into() }
    }

    /// The variable of this secret.
    pub fn variable_name(&self, name: &str) -> String {
        let encode = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
        self.prefix.chars().chain(name.chars().map(encode)).collect()
    }

    fn load_with(
        &self,
        name: &str,
        value: impl Fn(&str) -> Result<String, VarError>,
    ) -> Result<RotatingSecret, SecretError> {
        let current = self.variable_name(name);
        if current.ends_with(PREVIOUS_SUFFIX) {
            return Err(SecretError::new(
                current,
                "is the variable of another secret's previous value; rename the secret",
            ));
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

    fn load(name: &str, variables: &[(&str, &str)]) -> Result<Vec<String>, String> {
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
        let current = ("SECRET_WEBHOOKS_PAGER_DUTY2", "hush");
        let both = [current, ("SECRET_WEBHOOKS_PAGER_DUTY2_PREVIOUS", "older hush")];
        assert_eq!(load("webhooks/pager-duty2", &[current]), Ok(vec!["hush".to_owned()]));
        assert_eq!(load("webhooks/pager-duty2", &both), Ok(vec!["hush".to_owned(), "older hush".to_owned()]));
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
            let error = load(name, &variables).expect_err(expected);
            assert!(error.contains(expected), "{error}");
            assert!(!error.contains("hush"), "{error}");
        }
    }
}
