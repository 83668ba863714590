use std::{path::Path, time::Duration};

use sophos_secrets::{EnvironmentSecrets, FileSecrets, ManagedSecrets, NamedSecrets, SourceError, Stages};

use crate::{Reader, aws, clock};

const MANAGED: &str = "SECRETS_PREFIX";
const FILE: &str = "SECRETS_FILE";
const VARIABLES: &str = "SECRET_";

/// How long a secret that was read is kept: what a rotation may take to be
/// noticed. Meanwhile the one before is good.
const TIME_TO_LIVE: Duration = Duration::from_secs(300);

/// Where the secrets are by which senders prove themselves.
///
/// | variable | what it is | if not set |
/// |---|---|---|
/// | `SECRETS_PREFIX` | how the names of these secrets begin in Secrets Manager: with `sophos/`, `webhooks/pagerduty` is `sophos/webhooks/pagerduty` | the next |
/// | `SECRETS_FILE` | a TOML file, as [`FileSecrets`] reads it | variables such as `SECRET_WEBHOOKS_PAGERDUTY`, see [`EnvironmentSecrets`] |
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SecretsPlace {
    /// Variables.
    Environment(EnvironmentSecrets),
    /// A file.
    File(FileSecrets),
    /// Secrets Manager, with what all names begin with.
    SecretsManager(String),
}

impl SecretsPlace {
    /// Where the variables say that they are.
    pub fn configured(reader: &mut Reader<'_>) -> Self {
        match (reader.text(MANAGED), reader.text(FILE)) {
            (Some(prefix), file) => {
                if file.is_some() {
                    reader.wrong(MANAGED, format!("is set, and {FILE} as well; choose one"));
                }
                Self::SecretsManager(prefix)
            }
            (None, Some(path)) => {
                if !Path::new(&path).is_file() {
                    reader.wrong(FILE, format!("names {path}, which is no file"));
                }
                Self::File(FileSecrets::new(path))
            }
            (None, None) => Self::Environment(EnvironmentSecrets::new(VARIABLES)),
        }
    }

    /// Opens it. Nothing is read yet.
    pub async fn open(&self) -> Secrets {
        Secrets(match self {
            Self::Environment(secrets) => Opened::Environment(secrets.clone()),
            Self::File(secrets) => Opened::File(secrets.clone()),
            Self::SecretsManager(prefix) => {
                let client = aws_sdk_secretsmanager::Client::new(&aws::settings().await);
                Opened::Managed(ManagedSecrets::new(client, prefix, TIME_TO_LIVE, clock::since_epoch))
            }
        })
    }
}

/// The secrets by which senders prove themselves.
#[derive(Debug)]
pub struct Secrets(Opened);

#[derive(Debug)]
enum Opened {
    Environment(EnvironmentSecrets),
    File(FileSecrets),
    Managed(ManagedSecrets),
}

impl NamedSecrets for Secrets {
    async fn read(&self, name: &str) -> Result<Stages, SourceError> {
        match &self.0 {
            Opened::Environment(secrets) => secrets.read(name).await,
            Opened::File(secrets) => secrets.read(name).await,
            Opened::Managed(secrets) => secrets.read(name).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(variables: &[(&str, &str)]) -> (SecretsPlace, Vec<String>) {
        let mut reader = Reader::over(|name| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        });
        let place = SecretsPlace::configured(&mut reader);
        let mistakes = reader.finish(()).err().map(|error| error.mistakes().to_vec());
        (place, mistakes.unwrap_or_default())
    }

    #[test]
    fn the_place_that_is_named_is_chosen() {
        assert_eq!(place(&[]), (SecretsPlace::Environment(EnvironmentSecrets::new("SECRET_")), vec![]));
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
        assert_eq!(place(&[(FILE, file)]), (SecretsPlace::File(FileSecrets::new(file)), vec![]));
        assert_eq!(place(&[(MANAGED, "sophos/")]), (SecretsPlace::SecretsManager("sophos/".into()), vec![]));
        let (_, mistakes) = place(&[(FILE, "/nowhere")]);
        assert_eq!(mistakes, ["SECRETS_FILE names /nowhere, which is no file"]);
        let (_, mistakes) = place(&[(FILE, file), (MANAGED, "sophos/")]);
        assert_eq!(mistakes, ["SECRETS_PREFIX is set, and SECRETS_FILE as well; choose one"]);
    }
}
