//! Where the client secret is, and reading it.

use std::{
    fmt,
    io::{IsTerminal, Read},
    path::PathBuf,
    str::FromStr,
    sync::Arc,
    time::Duration,
};

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use sophos_api::{Auth, BoxFuture, CredentialSource, Credentials, NoCredential};
use sophos_secrets::{
    CredentialStore, FileCredentials, RequestedVersion, SecretSelector, SecretsManagerCredentials,
    StoredCredential, StoredCredentialSource,
};

use crate::{
    config::{Profile, file::check_owner_only, keyring},
    connect::now,
    exit::{Exit, Failure},
};

/// The time for which a secret of Secrets Manager is cached.
const CACHE_TTL: Duration = Duration::from_secs(300);

/// The location of a client secret.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) enum SecretLocation {
    /// The keyring of the system.
    Keyring,
    /// `SOPHOS_CLIENT_SECRET`.
    Environment,
    /// Standard input.
    Stdin,
    /// `client_secret` of the configuration file.
    Config,
    /// A file that only its owner may read.
    File(PathBuf),
    /// A secret of AWS Secrets Manager, by name or ARN.
    SecretsManager(String),
}

impl FromStr for SecretLocation {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            Some(("file", path)) if !path.is_empty() => Ok(Self::File(expand_home(path))),
            Some(("aws", name)) if !name.is_empty() => Ok(Self::SecretsManager(name.to_owned())),
            None if text == "keyring" => Ok(Self::Keyring),
            None if text == "env" => Ok(Self::Environment),
            None if text == "stdin" => Ok(Self::Stdin),
            None if text == "config" => Ok(Self::Config),
            // The text may be the secret itself.
            _ => Err("invalid secret location: expected keyring, env, stdin, config, file:PATH or aws:NAME"
                .to_owned()),
        }
    }
}

impl TryFrom<String> for SecretLocation {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl fmt::Display for SecretLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Keyring => f.write_str("keyring"),
            Self::Environment => f.write_str("env"),
            Self::Stdin => f.write_str("stdin"),
            Self::Config => f.write_str("config"),
            Self::File(path) => write!(f, "file:{}", path.display()),
            Self::SecretsManager(name) => write!(f, "aws:{name}"),
        }
    }
}

/// Replaces `~/` by the home directory.
fn expand_home(path: &str) -> PathBuf {
    match (path.strip_prefix("~/"), etcetera::home_dir()) {
        (Some(rest), Ok(home)) => home.join(rest),
        _ => PathBuf::from(path),
    }
}

/// Data of a stored credential beside the secret.
#[derive(Debug, Clone, Default)]
pub(crate) struct StoredMetadata {
    /// The client id.
    pub(crate) client_id: String,
    /// The role.
    pub(crate) role: Option<String>,
    /// The time of expiry.
    pub(crate) expires_at: Option<Timestamp>,
}

impl StoredMetadata {
    fn of(stored: &StoredCredential) -> Self {
        Self {
            client_id: stored.credentials.client_id().to_owned(),
            role: stored.role.map(|role| role.to_string()),
            expires_at: stored.expiry(),
        }
    }
}

/// A credential source of any kind.
#[derive(Debug)]
pub(crate) struct AnySource(Box<dyn CredentialSource>);

impl CredentialSource for AnySource {
    fn current(&self) -> BoxFuture<'_, Result<Auth, NoCredential>> {
        self.0.current()
    }

    fn replace_rejected<'a>(&'a self, rejected: &'a Auth) -> BoxFuture<'a, Result<Auth, NoCredential>> {
        self.0.replace_rejected(rejected)
    }
}

/// The source of the profile's credential, and its metadata.
///
/// # Errors
/// When the secret cannot be read.
pub(crate) async fn credential_source(profile: &Profile) -> Result<(AnySource, StoredMetadata), Failure> {
    match &profile.secret {
        SecretLocation::SecretsManager(name) => {
            let aws = aws_config::load_defaults(aws_config::BehaviorVersion::latest()).await;
            let client = aws_sdk_secretsmanager::Client::new(&aws);
            let selector = SecretSelector::Id(name.clone());
            from_store(Arc::new(SecretsManagerCredentials::new(client, selector, CACHE_TTL, now)), None).await
        }
        SecretLocation::File(path) => {
            check_owner_only(path)?;
            let text = std::fs::read_to_string(path).map(SecretString::from);
            let text = text.map_err(|error| {
                Failure::new(Exit::Authentication, format!("reading {} failed: {error}", path.display()))
            })?;
            let trimmed = text.expose_secret().trim();
            if trimmed.starts_with('{') {
                let stored = StoredCredential::from_json(&text).map_err(|error| {
                    Failure::new(Exit::Authentication, format!("{}: {error}", path.display()))
                })?;
                return Ok(from_stored(&stored));
            }
            // A secret alone is one word, which may contain an equals sign.
            if trimmed.contains(char::is_whitespace) {
                let store = Arc::new(FileCredentials::new(path));
                return from_store(store, profile.client_id.as_deref()).await;
            }
            from_secret(profile, SecretString::from(trimmed.to_owned()))
        }
        SecretLocation::Environment => {
            let secret =
                std::env::var("SOPHOS_CLIENT_SECRET").ok().filter(|secret| !secret.trim().is_empty());
            let secret = secret.ok_or_else(|| {
                Failure::new(Exit::Authentication, "SOPHOS_CLIENT_SECRET is not set")
                    .hint("set it, or run `sophos config init` to store the secret in the keyring")
            })?;
            from_secret(profile, SecretString::from(secret.trim().to_owned()))
        }
        SecretLocation::Stdin => from_secret(profile, read_stdin()?),
        SecretLocation::Config => {
            let secret = profile.inline_secret.clone().ok_or_else(|| {
                Failure::new(
                    Exit::Authentication,
                    format!("the profile {} has no client_secret", profile.name),
                )
            })?;
            from_secret(profile, secret)
        }
        SecretLocation::Keyring => from_secret(profile, keyring::get(&client_id(profile)?)?),
    }
}

/// Reads a secret from standard input.
pub(crate) fn read_stdin() -> Result<SecretString, Failure> {
    let mut stdin = std::io::stdin();
    if stdin.is_terminal() {
        return Err(Failure::usage("the secret is expected on standard input, which is a terminal")
            .hint("pipe it: `password-manager show sophos | sophos …`"));
    }
    let mut text = String::new();
    let read = stdin.read_to_string(&mut text);
    let text = SecretString::from(text);
    read.map_err(|error| Failure::other(format!("reading standard input failed: {error}")))?;
    let secret = text.expose_secret().trim();
    if secret.is_empty() {
        return Err(Failure::new(Exit::Authentication, "standard input holds no secret"));
    }
    Ok(SecretString::from(secret.to_owned()))
}

fn client_id(profile: &Profile) -> Result<String, Failure> {
    profile.client_id.clone().filter(|id| !id.trim().is_empty()).ok_or_else(|| {
        Failure::new(
            Exit::Authentication,
            format!("no credential is configured for the profile {}", profile.name),
        )
        .hint("run `sophos config init`, or set SOPHOS_CLIENT_ID and SOPHOS_CLIENT_SECRET")
    })
}

fn from_secret(profile: &Profile, secret: SecretString) -> Result<(AnySource, StoredMetadata), Failure> {
    Ok(from_stored(&StoredCredential::new(Credentials::new(client_id(profile)?.trim(), secret))))
}

fn from_stored(stored: &StoredCredential) -> (AnySource, StoredMetadata) {
    (AnySource(Box::new(stored.credentials.clone())), StoredMetadata::of(stored))
}

/// The credential of this client id in a store, or the only one.
async fn from_store(
    store: Arc<dyn CredentialStore>,
    client_id: Option<&str>,
) -> Result<(AnySource, StoredMetadata), Failure> {
    let mut listed = store.list().await?;
    if let Some(client_id) = client_id {
        listed.retain(|item| {
            item.credential.as_ref().is_ok_and(|stored| stored.credentials.client_id() == client_id)
        });
    }
    let [only] = listed.as_slice() else {
        let message =
            format!("the location of the secret holds {} matching credentials: expected one", listed.len());
        return Err(
            Failure::new(Exit::Authentication, message).hint("set client_id in the profile to choose one")
        );
    };
    let name = only.name.clone();
    let stored = store.load(&name, RequestedVersion::Cached).await?;
    let metadata = stored.map(|stored| StoredMetadata::of(&stored)).unwrap_or_default();
    Ok((AnySource(Box::new(StoredCredentialSource::new(store, name, now))), metadata))
}
