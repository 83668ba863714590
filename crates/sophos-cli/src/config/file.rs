//! `config.toml`.

use std::{collections::BTreeMap, fs, path::PathBuf};

use secrecy::SecretString;
use serde::Deserialize;

use crate::{config::SecretLocation, exit::Failure, global_args::GlobalArgs};

/// The name of the profile in the tables `[auth]` and `[api]`.
pub(crate) const DEFAULT_PROFILE: &str = "default";

/// The expected content, for errors.
const EXPECTED: &str = "tables [auth] (client_id, and client_secret or secret), [api] (region, tenant, rate_limit, \
     identity_url, global_url, fusion_url), and the same under [profiles.NAME]";

/// The content of the file.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ConfigFile {
    /// The name of the current profile.
    pub(crate) profile: Option<String>,
    auth: AuthSection,
    api: ApiSection,
    /// The other profiles.
    profiles: BTreeMap<String, ProfileSection>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct ProfileSection {
    auth: AuthSection,
    api: ApiSection,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct AuthSection {
    client_id: Option<String>,
    client_secret: Option<SecretString>,
    secret: Option<SecretLocation>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct ApiSection {
    region: Option<String>,
    tenant: Option<String>,
    rate_limit: Option<String>,
    identity_url: Option<String>,
    global_url: Option<String>,
    fusion_url: Option<String>,
}

impl ConfigFile {
    /// The names of the profiles.
    pub(crate) fn names(&self) -> Vec<&str> {
        let default = self.auth.client_id.is_some() || self.auth.secret.is_some();
        default
            .then_some(DEFAULT_PROFILE)
            .into_iter()
            .chain(self.profiles.keys().map(String::as_str))
            .collect()
    }
}

/// A profile, with the environment's values.
#[derive(Debug, Clone)]
pub(crate) struct Profile {
    /// The name.
    pub(crate) name: String,
    /// The client id. A secret of Secrets Manager holds its own.
    pub(crate) client_id: Option<String>,
    /// Where the secret is.
    pub(crate) secret: SecretLocation,
    /// The secret of the file itself.
    pub(crate) inline_secret: Option<SecretString>,
    /// The expected data region, such as `eu01` or `us`.
    pub(crate) region: Option<String>,
    /// The default tenant.
    pub(crate) tenant: Option<String>,
    /// The client-side rate limit.
    pub(crate) rate_limit: Option<String>,
    /// The identity service of a simulator or a gateway.
    pub(crate) identity_url: Option<String>,
    /// The global host of a simulator or a gateway.
    pub(crate) global_url: Option<String>,
    /// The host of Sophos Fusion of a simulator or a gateway.
    pub(crate) fusion_url: Option<String>,
}

/// The path of the configuration file.
///
/// # Errors
/// When the home directory is unknown.
pub(crate) fn config_path(globals: &GlobalArgs) -> Result<PathBuf, Failure> {
    use etcetera::BaseStrategy;

    if let Some(path) = &globals.config {
        return Ok(path.clone());
    }
    let strategy = etcetera::choose_base_strategy()
        .map_err(|_| Failure::usage("unknown home directory: set HOME, or use --config FILE"))?;
    Ok(strategy.config_dir().join("sophos").join("config.toml"))
}

/// Reads the configuration file; the default if it does not exist.
///
/// # Errors
/// When it is invalid, or others may read the secrets in it.
pub(crate) fn load_file(globals: &GlobalArgs) -> Result<(ConfigFile, Option<PathBuf>), Failure> {
    let path = config_path(globals)?;
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && globals.config.is_none() => {
            return Ok((ConfigFile::default(), None));
        }
        Err(error) => return Err(Failure::usage(format!("reading {} failed: {error}", path.display()))),
    };
    let text = SecretString::from(text);
    let file = parse(&text).map_err(|at| {
        Failure::usage(format!("invalid configuration {}{at}: expected {EXPECTED}", path.display()))
    })?;
    let has_secret = std::iter::once(&file.auth)
        .chain(file.profiles.values().map(|profile| &profile.auth))
        .any(|auth| auth.client_secret.is_some());
    if has_secret {
        check_owner_only(&path)?;
    }
    Ok((file, Some(path)))
}

/// Parses the file. The error is the line, since the parser's message may quote a secret.
fn parse(text: &SecretString) -> Result<ConfigFile, String> {
    use secrecy::ExposeSecret;

    let text = text.expose_secret();
    toml::from_str(text).map_err(|error| {
        let line = error.span().map(|span| 1 + text[..span.start].matches('\n').count());
        line.map(|line| format!(" at line {line}")).unwrap_or_default()
    })
}

/// Rejects a file that others than its owner may read.
///
/// # Errors
/// With the command that changes the permissions.
#[cfg(unix)]
pub(crate) fn check_owner_only(path: &std::path::Path) -> Result<(), Failure> {
    use std::os::unix::fs::PermissionsExt;

    let mode = fs::metadata(path)
        .map_err(|error| Failure::usage(format!("reading {} failed: {error}", path.display())))?
        .permissions()
        .mode();
    if mode & 0o077 == 0 {
        return Ok(());
    }
    let path = path.display();
    Err(Failure::usage(format!("others may read {path} (mode {:o}), which holds a secret", mode & 0o777))
        .hint(format!("run `chmod 600 {path}`, or move the secret to the keyring with `sophos config init`")))
}

/// Windows keeps the user's profile from others.
#[cfg(not(unix))]
pub(crate) fn check_owner_only(_: &std::path::Path) -> Result<(), Failure> {
    Ok(())
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.trim().is_empty())
}

/// Loads the selected profile. `SOPHOS_CLIENT_ID` stands for a profile of its own,
/// unless one is named.
///
/// # Errors
/// When the file is invalid or the profile does not exist.
pub(crate) fn load(globals: &GlobalArgs) -> Result<Profile, Failure> {
    let (file, _) = load_file(globals)?;
    let environment_id = variable("SOPHOS_CLIENT_ID").filter(|_| globals.profile.is_none());
    let name = match (&globals.profile, &environment_id) {
        (Some(name), _) => name.clone(),
        (None, Some(_)) => "environment".to_owned(),
        (None, None) => file.profile.clone().unwrap_or_else(|| DEFAULT_PROFILE.to_owned()),
    };
    let section = match file.profiles.get(&name) {
        _ if environment_id.is_some() => ProfileSection::default(),
        Some(section) => section.clone(),
        None if name == DEFAULT_PROFILE => ProfileSection { auth: file.auth.clone(), api: file.api.clone() },
        None => {
            let names = file.names();
            let expected = if names.is_empty() {
                "the configuration has none".to_owned()
            } else {
                format!("expected {}", names.join(" or "))
            };
            return Err(Failure::usage(format!("unknown profile \"{name}\": {expected}"))
                .hint("run `sophos config init --profile NAME`"));
        }
    };
    let ProfileSection { auth, api } = section;
    let secret = match (&auth.secret, &auth.client_secret) {
        _ if environment_id.is_some() => SecretLocation::Environment,
        (Some(location), None) => location.clone(),
        (None, Some(_)) => SecretLocation::Config,
        (None, None) if variable("SOPHOS_CLIENT_SECRET").is_some() => SecretLocation::Environment,
        (None, None) => SecretLocation::Keyring,
        (Some(_), Some(_)) => {
            return Err(Failure::usage(format!(
                "the profile {name} has both client_secret and secret: keep one"
            )));
        }
    };
    Ok(Profile {
        name,
        client_id: environment_id.or(auth.client_id),
        secret,
        inline_secret: auth.client_secret,
        region: api.region,
        tenant: api.tenant,
        rate_limit: variable("SOPHOS_RATE_LIMIT").or(api.rate_limit),
        identity_url: variable("SOPHOS_IDENTITY_URL").or(api.identity_url),
        global_url: variable("SOPHOS_GLOBAL_URL").or(api.global_url),
        fusion_url: variable("SOPHOS_FUSION_URL").or(api.fusion_url),
    })
}
