//! The location of stored credentials.

use std::{path::PathBuf, sync::Arc, time::Duration};

use clap::{Args, ValueHint};
use jiff::Timestamp;
use sophos_secrets::{
    CredentialStore, FileCredentials, InspectedCredential, SecretSelector, SecretsManagerCredentials,
};

use crate::{
    exit::{Exit, Failure},
    pack::values::since_epoch,
};

/// The time for which values of Secrets Manager are cached.
const CACHE_TTL: Duration = Duration::from_secs(60);

/// The location of stored credentials.
#[derive(Debug, Clone, Args)]
#[group(multiple = false)]
#[command(next_help_heading = "Location")]
pub(super) struct LocationArgs {
    /// A TOML file that only its owner may read [env: SOPHOS_CREDENTIALS_FILE]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    file: Option<PathBuf>,

    /// All secrets of Secrets Manager whose names begin with this text [env:
    /// SOPHOS_SECRETS_PREFIX]
    #[arg(long, value_name = "PREFIX")]
    prefix: Option<String>,

    /// All secrets with this tag, such as sophos=credential [env: SOPHOS_SECRETS_TAG]
    #[arg(long, value_name = "KEY=VALUE")]
    tag: Option<String>,

    /// One secret, by name or ARN [env: SOPHOS_SECRET]
    #[arg(long, value_name = "NAME")]
    secret: Option<String>,
}

/// The selected location.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Location {
    File(PathBuf),
    SecretsManager(SecretSelector),
}

impl LocationArgs {
    /// The location of the arguments, or else of the functions' variables.
    ///
    /// # Errors
    /// When none is given, several variables are set, or a tag is invalid.
    pub(super) fn select(&self, variable: impl Fn(&str) -> Option<String>) -> Result<Location, Failure> {
        let given = [
            self.file.as_ref().map(|file| ("--file", file.to_string_lossy().into_owned())),
            self.prefix.clone().map(|prefix| ("--prefix", prefix)),
            self.tag.clone().map(|tag| ("--tag", tag)),
            self.secret.clone().map(|secret| ("--secret", secret)),
        ];
        let mut given: Vec<_> = given.into_iter().flatten().collect();
        if given.is_empty() {
            let variables = [
                ("--file", "SOPHOS_CREDENTIALS_FILE"),
                ("--prefix", "SOPHOS_SECRETS_PREFIX"),
                ("--tag", "SOPHOS_SECRETS_TAG"),
                ("--secret", "SOPHOS_SECRET"),
            ];
            let set =
                |name| variable(name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
            given.extend(variables.into_iter().filter_map(|(option, name)| Some((option, set(name)?))));
        }
        match given.as_slice() {
            [("--file", path)] => Ok(Location::File(path.into())),
            [("--prefix", prefix)] => Ok(Location::SecretsManager(SecretSelector::Prefix(prefix.clone()))),
            [("--tag", tag)] => {
                let (key, value) = tag.split_once('=').unwrap_or((tag, ""));
                let (key, value) = (key.trim().to_owned(), value.trim().to_owned());
                if key.is_empty() || value.is_empty() {
                    return Err(Failure::usage(format!("invalid tag \"{tag}\": expected key=value")));
                }
                Ok(Location::SecretsManager(SecretSelector::Tag { key, value }))
            }
            [(_, secret)] => Ok(Location::SecretsManager(SecretSelector::Id(secret.clone()))),
            [] => Err(Failure::usage("missing location of the credentials")
                .hint("add --file, --prefix, --tag or --secret, such as --prefix sophos/credentials/")),
            _ => Err(Failure::usage(
                "several SOPHOS_SECRET… variables are set: add --file, --prefix, --tag or --secret",
            )),
        }
    }
}

impl Location {
    /// Reads all credentials with their metadata. Secrets Manager counts this as a use of
    /// each secret, so the last use by others is kept in a tag, as by the audit.
    ///
    /// # Errors
    /// When the location cannot be read.
    pub(super) async fn inspect(&self) -> Result<Vec<InspectedCredential>, Failure> {
        let inspected = match self {
            Self::File(path) if !path.is_file() => {
                let message =
                    format!("missing file \"{}\": expected a TOML file of credentials", path.display());
                return Err(Failure::new(Exit::NotFound, message));
            }
            Self::File(path) => {
                let store: Arc<dyn CredentialStore> = Arc::new(FileCredentials::new(path));
                store.list().await?.into_iter().map(InspectedCredential::from_listed).collect()
            }
            Self::SecretsManager(selector) => {
                let client = secrets_manager().await;
                let store = SecretsManagerCredentials::new(client, selector.clone(), CACHE_TTL, since_epoch);
                store.inspect(Timestamp::now()).await?
            }
        };
        if inspected.is_empty() {
            return Err(Failure::new(Exit::NotFound, "the location has no credential")
                .hint("check the location, the region and the account of AWS"));
        }
        Ok(inspected)
    }
}

/// A client of Secrets Manager from the AWS settings of this shell.
pub(super) async fn secrets_manager() -> aws_sdk_secretsmanager::Client {
    let config = aws_config::defaults(aws_config::BehaviorVersion::latest()).load().await;
    aws_sdk_secretsmanager::Client::new(&config)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: LocationArgs = LocationArgs { file: None, prefix: None, tag: None, secret: None };

    #[test]
    fn location_comes_from_options_before_variables() {
        let variable = |name: &str| (name == "SOPHOS_SECRETS_PREFIX").then(|| "sophos/".to_owned());
        let prefix = Location::SecretsManager(SecretSelector::Prefix("sophos/".into()));
        assert_eq!(NONE.select(variable).expect("a location"), prefix);
        let file = LocationArgs { file: Some("c.toml".into()), ..NONE };
        assert_eq!(file.select(variable).expect("a location"), Location::File("c.toml".into()));
        let tag = LocationArgs { tag: Some("sophos = credential".into()), ..NONE };
        let expected = SecretSelector::Tag { key: "sophos".into(), value: "credential".into() };
        assert_eq!(tag.select(|_| None).expect("a location"), Location::SecretsManager(expected));
        for wrong in [NONE, LocationArgs { tag: Some("sophos".into()), ..NONE }] {
            assert_eq!(wrong.select(|_| None).expect_err("none").exit, Exit::Usage);
        }
        assert_eq!(NONE.select(|_| Some("x".into())).expect_err("several").exit, Exit::Usage);
    }
}
