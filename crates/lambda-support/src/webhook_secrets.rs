use std::{path::Path, time::Duration};

use sophos_secrets::{
    EnvironmentSecrets, FileSecrets, RotatingSecret, SecretError, SecretStore, SecretsManagerSecrets,
};

use crate::{ConfigReader, aws, clock};

const PREFIX: &str = "WEBHOOK_SECRETS_PREFIX";
const FILE: &str = "WEBHOOK_SECRETS_FILE";
const VARIABLE_PREFIX: &str = "SECRET_";

/// The time for which a secret is cached. A rotation takes effect within it; meanwhile
/// the previous secret is valid.
const TIME_TO_LIVE: Duration = Duration::from_secs(300);

/// The location of the secrets that authenticate webhook senders.
///
/// | variable | value | if not set |
/// |---|---|---|
/// | `WEBHOOK_SECRETS_PREFIX` | the prefix of their names in Secrets Manager: with `sophos/`, `webhooks/pagerduty` is `sophos/webhooks/pagerduty` | `WEBHOOK_SECRETS_FILE` |
/// | `WEBHOOK_SECRETS_FILE` | a TOML file for [`FileSecrets`] | variables such as `SECRET_WEBHOOKS_PAGERDUTY`, see [`EnvironmentSecrets`] |
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum WebhookSecretsLocation {
    /// Environment variables.
    Environment(EnvironmentSecrets),
    /// A TOML file.
    File(FileSecrets),
    /// Secrets Manager, with the prefix of all names.
    SecretsManager(String),
}

impl WebhookSecretsLocation {
    /// Reads the variables. Issues go to `reader`.
    pub fn from_reader(reader: &mut ConfigReader<'_>) -> Self {
        match (reader.text(PREFIX), reader.text(FILE)) {
            (Some(prefix), file) => {
                if file.is_some() {
                    reader.invalid(PREFIX, format!("conflicts with {FILE}; set one of them"));
                }
                Self::SecretsManager(prefix)
            }
            (None, Some(path)) => {
                if !Path::new(&path).is_file() {
                    reader.invalid(FILE, format!("names {path}, which is not a file"));
                }
                Self::File(FileSecrets::new(path))
            }
            (None, None) => Self::Environment(EnvironmentSecrets::new(VARIABLE_PREFIX)),
        }
    }

    /// Opens the location. Reads nothing yet.
    pub async fn open(&self) -> WebhookSecrets {
        WebhookSecrets(match self {
            Self::Environment(secrets) => SecretBackend::Environment(secrets.clone()),
            Self::File(secrets) => SecretBackend::File(secrets.clone()),
            Self::SecretsManager(prefix) => {
                let client = aws_sdk_secretsmanager::Client::new(&aws::sdk_config().await);
                SecretBackend::SecretsManager(SecretsManagerSecrets::new(
                    client,
                    prefix,
                    TIME_TO_LIVE,
                    clock::since_epoch,
                ))
            }
        })
    }
}

/// The secrets that authenticate webhook senders.
#[derive(Debug)]
pub struct WebhookSecrets(SecretBackend);

#[derive(Debug)]
enum SecretBackend {
    Environment(EnvironmentSecrets),
    File(FileSecrets),
    SecretsManager(SecretsManagerSecrets),
}

impl SecretStore for WebhookSecrets {
    async fn load(&self, name: &str) -> Result<RotatingSecret, SecretError> {
        match &self.0 {
            SecretBackend::Environment(secrets) => secrets.load(name).await,
            SecretBackend::File(secrets) => secrets.load(name).await,
            SecretBackend::SecretsManager(secrets) => secrets.load(name).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_location(variables: &[(&str, &str)]) -> (WebhookSecretsLocation, Vec<String>) {
        let mut reader = ConfigReader::from_fn(|name| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        });
        let location = WebhookSecretsLocation::from_reader(&mut reader);
        let issues = reader.finish(()).err().map(|error| error.issues().to_vec());
        (location, issues.unwrap_or_default())
    }

    #[test]
    fn location_follows_the_configured_variables() {
        assert_eq!(
            parse_location(&[]),
            (WebhookSecretsLocation::Environment(EnvironmentSecrets::new("SECRET_")), vec![])
        );
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
        assert_eq!(
            parse_location(&[(FILE, file)]),
            (WebhookSecretsLocation::File(FileSecrets::new(file)), vec![])
        );
        assert_eq!(
            parse_location(&[(PREFIX, "sophos/")]),
            (WebhookSecretsLocation::SecretsManager("sophos/".into()), vec![])
        );
        let (_, issues) = parse_location(&[(FILE, "/nowhere")]);
        assert_eq!(issues, ["WEBHOOK_SECRETS_FILE names /nowhere, which is not a file"]);
        let (_, issues) = parse_location(&[(FILE, file), (PREFIX, "sophos/")]);
        assert_eq!(issues, ["WEBHOOK_SECRETS_PREFIX conflicts with WEBHOOK_SECRETS_FILE; set one of them"]);
    }
}
