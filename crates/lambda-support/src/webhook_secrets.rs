use std::{path::Path, time::Duration};

use sophos_secrets::{
    EnvironmentSecrets, FileSecrets, RotatingSecret, SecretError, SecretStore, SecretsManagerSecrets,
};

use crate::{ConfigReader, aws, clock};

const PREFIX: &str = "WEBHOOK_SECRETS_PREFIX";
const FILE: &str = "WEBHOOK_SECRETS_FILE";
const VARIABLE_PREFIX: &str = "SECRET_";

/// How long a secret that was read is kept: what a rotation may take to be
/// noticed. Meanwhile the one before is good.
const TIME_TO_LIVE: Duration = Duration::from_secs(300);

/// Where the secrets are by which senders prove themselves.
///
/// | variable | what it is | if not set |
/// |---|---|---|
/// | `WEBHOOK_SECRETS_PREFIX` | how the names of these secrets begin in Secrets Manager: with `sophos/`, `webhooks/pagerduty` is `sophos/webhooks/pagerduty` | the next |
/// | `WEBHOOK_SECRETS_FILE` | a TOML file, as [`FileSecrets`] reads it | variables such as `SECRET_WEBHOOKS_PAGERDUTY`, see [`EnvironmentSecrets`] |
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum WebhookSecretsLocation {
    /// Variables.
    Environment(EnvironmentSecrets),
    /// A file.
    File(FileSecrets),
    /// Secrets Manager, with what all names begin with.
    SecretsManager(String),
}

impl WebhookSecretsLocation {
    /// Where the variables say that they are.
    pub fn from_reader(reader: &mut ConfigReader<'_>) -> Self {
        match (reader.text(PREFIX), reader.text(FILE)) {
            (Some(prefix), file) => {
                if file.is_some() {
                    reader.invalid(PREFIX, format!("is set, and {FILE} as well; choose one"));
                }
                Self::SecretsManager(prefix)
            }
            (None, Some(path)) => {
                if !Path::new(&path).is_file() {
                    reader.invalid(FILE, format!("names {path}, which is no file"));
                }
                Self::File(FileSecrets::new(path))
            }
            (None, None) => Self::Environment(EnvironmentSecrets::new(VARIABLE_PREFIX)),
        }
    }

    /// Opens it. Nothing is read yet.
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

/// The secrets by which senders prove themselves.
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
        let place = WebhookSecretsLocation::from_reader(&mut reader);
        let mistakes = reader.finish(()).err().map(|error| error.issues().to_vec());
        (place, mistakes.unwrap_or_default())
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
        let (_, mistakes) = parse_location(&[(FILE, "/nowhere")]);
        assert_eq!(mistakes, ["WEBHOOK_SECRETS_FILE names /nowhere, which is no file"]);
        let (_, mistakes) = parse_location(&[(FILE, file), (PREFIX, "sophos/")]);
        assert_eq!(mistakes, ["WEBHOOK_SECRETS_PREFIX is set, and WEBHOOK_SECRETS_FILE as well; choose one"]);
    }
}
