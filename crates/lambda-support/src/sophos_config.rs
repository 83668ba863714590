use std::{path::Path, sync::Arc, time::Duration};

use jiff::Timestamp;
use sophos_api::{
    BaseUrl, Client, DEFAULT_MAX_RESPONSE_LEN, Hosts, RateLimit, ReqwestTransport, TransportError,
};
use sophos_secrets::{
    CredentialStore, EnvironmentCredential, FileCredentials, InspectedCredential, SecretError,
    SecretSelector, SecretsManagerCredentials, StoredCredentialSource,
};
use sophos_store::{MAX_RESERVE_PERCENT, Store, StoreError, StoreRateLimiter, encode_name};

use crate::{
    ConfigReader, aws, clock,
    deadline::{list_before, list_credentials},
};

/// The default time for which a credential is cached. A rotation takes effect within
/// it; meanwhile the previous credential still works.
const DEFAULT_TTL_SECONDS: u64 = 300;

/// The bounds of `SOPHOS_MAX_RESPONSE_BYTES`.
const MIN_RESPONSE_LIMIT: u64 = 64 << 10;
const MAX_RESPONSE_LIMIT: u64 = 256 << 20;

const SECRET: &str = "SOPHOS_SECRET";
const PREFIX: &str = "SOPHOS_SECRETS_PREFIX";
const TAG: &str = "SOPHOS_SECRETS_TAG";
const FILE: &str = "SOPHOS_CREDENTIALS_FILE";
const CLIENT_ID: &str = "SOPHOS_CLIENT_ID";
const CLIENT_SECRET: &str = "SOPHOS_CLIENT_SECRET";

/// The configuration of access to Sophos Central.
///
/// Credentials come from one of these locations:
///
/// | variable | value |
/// |---|---|
/// | `SOPHOS_SECRET` | a secret of Secrets Manager, by name or ARN |
/// | `SOPHOS_SECRETS_PREFIX` | all secrets with this prefix of their names, such as `sophos/credentials/` |
/// | `SOPHOS_SECRETS_TAG` | all secrets with this tag, such as `sophos=credential` |
/// | `SOPHOS_CREDENTIALS_FILE` | a TOML file that only its owner may read, as [`FileCredentials`] describes |
/// | `SOPHOS_CLIENT_ID`, `SOPHOS_CLIENT_SECRET` | the credential itself, for development |
///
/// A function uses the credentials whose `used_for` lists its purpose or is empty, and
/// skips the others: see [`PurposeSelection`](sophos_secrets::PurposeSelection).
///
/// The other variables:
///
/// | variable | value | default |
/// |---|---|---|
/// | `SOPHOS_SECRETS_TTL_SECONDS` | seconds for which values of Secrets Manager are cached, 10 to 3600 | 300 |
/// | `SOPHOS_RATE_LIMIT` | `documented`, `unlimited`, or such as `10/s, 100/m+300, 1000/h` | `documented` |
/// | `SOPHOS_RATE_LIMIT_STORE` | the store through which functions share the rate limit: `s3://bucket/prefix` or a folder | a limit for each process; the workers of an export's queue share it through the export's store |
/// | `SOPHOS_RATE_RESERVE_PERCENT` | percentage of the shared rate limit that is left to other functions, 1 to 50 | 0 |
/// | `SOPHOS_MAX_RESPONSE_BYTES` | the largest response in bytes, 65536 to 268435456; each active stream takes up to three times as much memory | 6291456, for four streams within 128 MB |
/// | `SOPHOS_IDENTITY_URL`, `SOPHOS_GLOBAL_URL` | other hosts than Sophos Central's, such as a simulator; both or none | Sophos Central |
/// | `SOPHOS_REGION_URLS` | their hosts of data regions, such as `eu01=http://127.0.0.1:7003` | none |
#[derive(Debug)]
pub struct SophosConfig {
    /// The location of the credentials.
    pub credentials: CredentialLocation,
    /// The hosts.
    pub hosts: Hosts,
    /// The client-side rate limit of each credential.
    pub rate_limit: RateLimit,
    /// The store through which processes share the rate limit.
    pub rate_limit_store: Option<String>,
    /// The percentage of the shared rate limit that is left to other processes.
    pub reserve_percent: Option<u64>,
    /// The largest accepted response, in bytes.
    pub max_response_len: usize,
}

impl SophosConfig {
    /// Reads the variables. Issues go to `reader`.
    pub fn from_reader(reader: &mut ConfigReader<'_>) -> Self {
        Self {
            credentials: credential_location(reader),
            hosts: hosts(reader),
            rate_limit: reader.value("SOPHOS_RATE_LIMIT").unwrap_or_default(),
            rate_limit_store: reader.text("SOPHOS_RATE_LIMIT_STORE"),
            reserve_percent: reader.number("SOPHOS_RATE_RESERVE_PERCENT", 1, MAX_RESERVE_PERCENT),
            max_response_len: reader
                .number("SOPHOS_MAX_RESPONSE_BYTES", MIN_RESPONSE_LIMIT, MAX_RESPONSE_LIMIT)
                .map_or(DEFAULT_MAX_RESPONSE_LEN, |bytes| bytes as usize),
        }
    }

    /// Creates a transport to Sophos Central with these settings.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn transport(&self) -> Result<ReqwestTransport, TransportError> {
        Ok(ReqwestTransport::new()?.with_max_response_len(self.max_response_len))
    }

    /// Creates a client for a credential. With a `rate_limit_store` it shares its rate
    /// limit with other processes.
    pub fn client(
        &self,
        transport: &ReqwestTransport,
        credentials: &Arc<dyn CredentialStore>,
        name: &str,
        rate_limit_store: Option<&Store>,
    ) -> Client<ReqwestTransport> {
        let source = StoredCredentialSource::new(Arc::clone(credentials), name, clock::since_epoch);
        let mut client = Client::builder(transport.clone(), source).hosts(self.hosts.clone());
        let limiter = rate_limit_store.and_then(|store| {
            let folder = format!("_rate_limit/{}", encode_name(name));
            StoreRateLimiter::new(store.clone(), folder, &self.rate_limit, transport.clone())
        });
        client = match limiter {
            Some(limiter) => client.rate_limit(RateLimit::unlimited()).shared_rate_limiter(Arc::new(
                match self.reserve_percent {
                    Some(percent) => limiter.with_reserve(percent),
                    None => limiter,
                },
            )),
            None => client.rate_limit(self.rate_limit.clone()),
        };
        client.build()
    }

    /// Opens the store through which processes share the rate limit, if it is configured.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn open_rate_limit_store(&self) -> Result<Option<Store>, StoreError> {
        self.rate_limit_store.as_deref().map(Store::open).transpose()
    }
}

/// The location of credentials.
#[derive(Debug)]
#[non_exhaustive]
pub enum CredentialLocation {
    /// Two environment variables.
    Environment(EnvironmentCredential),
    /// A TOML file.
    File(FileCredentials),
    /// Secrets Manager.
    SecretsManager {
        /// The secrets that are credentials.
        selection: SecretSelector,
        /// The time for which values are cached.
        time_to_live: Duration,
    },
}

impl CredentialLocation {
    /// Opens the location. Reads nothing yet.
    pub async fn open(&self) -> Arc<dyn CredentialStore> {
        match self {
            Self::Environment(credential) => Arc::new(credential.clone()),
            Self::File(credentials) => Arc::new(credentials.clone()),
            Self::SecretsManager { selection, time_to_live } => {
                Arc::new(secrets_manager(selection, *time_to_live).await)
            }
        }
    }

    /// Reads all credentials with their metadata, for an audit. Ends by `deadline`, in
    /// time since the Unix epoch.
    ///
    /// # Errors
    /// When the location cannot be read, or the deadline passes first.
    pub async fn inspect(
        &self,
        now: Timestamp,
        deadline: Duration,
    ) -> Result<Vec<InspectedCredential>, SecretError> {
        if let Self::SecretsManager { selection, time_to_live } = self {
            let store = secrets_manager(selection, *time_to_live).await;
            return list_before(deadline, || format!("{store:?}"), store.inspect(now)).await;
        }
        let listed = list_credentials(&*self.open().await, deadline).await?;
        Ok(listed.into_iter().map(InspectedCredential::from_listed).collect())
    }
}

async fn secrets_manager(selection: &SecretSelector, time_to_live: Duration) -> SecretsManagerCredentials {
    let client = aws_sdk_secretsmanager::Client::new(&aws::sdk_config().await);
    SecretsManagerCredentials::new(client, selection.clone(), time_to_live, clock::since_epoch)
}

fn credential_location(reader: &mut ConfigReader<'_>) -> CredentialLocation {
    let time_to_live = reader.number("SOPHOS_SECRETS_TTL_SECONDS", 10, 3_600).unwrap_or(DEFAULT_TTL_SECONDS);
    let named = [SECRET, PREFIX, TAG, FILE].map(|name| (name, reader.text(name)));
    let mut given = named.into_iter().filter_map(|(name, text)| Some((name, text?)));
    let variables = [CLIENT_ID, CLIENT_SECRET].map(|name| (name, reader.text(name).is_some()));
    let Some((name, text)) = given.next() else {
        for (name, _) in variables.iter().filter(|(_, set)| !set) {
            reader
                .invalid(name, format!("is not set; set it, or one of {SECRET}, {PREFIX}, {TAG} and {FILE}"));
        }
        return CredentialLocation::Environment(EnvironmentCredential::new(CLIENT_ID, CLIENT_SECRET));
    };
    let other = given.next().map(|(name, _)| name);
    if let Some(other) = other.or(variables.iter().find(|(_, set)| *set).map(|(name, _)| *name)) {
        reader.invalid(name, format!("conflicts with {other}; set one of them"));
    }
    let selection = match name {
        FILE => {
            if !Path::new(&text).is_file() {
                reader.invalid(FILE, format!("names {text}, which is not a file"));
            }
            return CredentialLocation::File(FileCredentials::new(text));
        }
        PREFIX => SecretSelector::Prefix(text),
        TAG => {
            let (key, value) = text.split_once('=').unwrap_or((&text, ""));
            let (key, value) = (key.trim().to_owned(), value.trim().to_owned());
            if key.is_empty() || value.is_empty() {
                reader.invalid(TAG, "is not a tag: expected key=value");
            }
            SecretSelector::Tag { key, value }
        }
        _ => SecretSelector::Id(text),
    };
    CredentialLocation::SecretsManager { selection, time_to_live: Duration::from_secs(time_to_live) }
}

fn hosts(reader: &mut ConfigReader<'_>) -> Hosts {
    const IDENTITY: &str = "SOPHOS_IDENTITY_URL";
    const GLOBAL: &str = "SOPHOS_GLOBAL_URL";
    let set = [IDENTITY, GLOBAL].map(|name| reader.text(name).is_some());
    let urls = (reader.value::<BaseUrl>(IDENTITY), reader.value::<BaseUrl>(GLOBAL));
    let mut hosts = match urls {
        (Some(identity), Some(global)) => Hosts::new(identity, global),
        _ => Hosts::sophos_central(),
    };
    match set {
        [true, false] => reader.invalid(GLOBAL, format!("is not set while {IDENTITY} is; set both or none")),
        [false, true] => reader.invalid(IDENTITY, format!("is not set while {GLOBAL} is; set both or none")),
        _ => {}
    }
    for pair in reader.text("SOPHOS_REGION_URLS").iter().flat_map(|pairs| pairs.split(',')) {
        let region = pair.split_once('=').ok_or_else(|| "expected eu01=https://host".to_owned());
        match region
            .and_then(|(code, url)| Ok((code.trim(), url.parse::<BaseUrl>().map_err(|e| e.to_string())?)))
        {
            Ok((code, url)) => hosts = hosts.with_region(code, url),
            Err(problem) => {
                reader.invalid("SOPHOS_REGION_URLS", format!("has an invalid entry \"{pair}\": {problem}"))
            }
        }
    }
    hosts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ConfigError;

    const CREDENTIAL: [(&str, &str); 2] = [("SOPHOS_CLIENT_ID", "id"), ("SOPHOS_CLIENT_SECRET", "hush-hush")];

    fn parse(variables: &[(&str, &str)]) -> Result<SophosConfig, ConfigError> {
        let mut reader = ConfigReader::from_fn(|name| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        });
        let sophos = SophosConfig::from_reader(&mut reader);
        reader.finish(sophos)
    }

    fn parse_with(name: &str, value: &str) -> Result<SophosConfig, ConfigError> {
        let mut variables: Vec<_> = CREDENTIAL.into_iter().filter(|(known, _)| *known != name).collect();
        variables.push((name, value));
        parse(&variables)
    }

    #[test]
    fn sophos_config_requires_only_a_credential() {
        let sophos = parse(&CREDENTIAL).expect("enough");
        assert_eq!(sophos.rate_limit, RateLimit::documented());
        assert!(matches!(sophos.credentials, CredentialLocation::Environment(_)));
        assert!(!format!("{sophos:?}").contains("hush"), "a configuration shows no secret");
        assert_eq!(
            parse_with("SOPHOS_RATE_LIMIT", "unlimited").expect("all").rate_limit,
            RateLimit::unlimited()
        );
        assert_eq!(parse_with("SOPHOS_RATE_LIMIT", "unlimited").expect("all").max_response_len, 6 << 20);
        assert_eq!(parse_with("SOPHOS_MAX_RESPONSE_BYTES", "65536").expect("all").max_response_len, 65_536);
        for percent in [1, 10, 50] {
            let sophos = parse_with("SOPHOS_RATE_RESERVE_PERCENT", &percent.to_string()).expect("all");
            assert_eq!(sophos.reserve_percent, Some(percent));
        }
    }

    #[test]
    fn credentials_file_replaces_both_variables() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
        let sophos = parse(&[("SOPHOS_CREDENTIALS_FILE", file)]).expect("a file");
        assert!(matches!(sophos.credentials, CredentialLocation::File(_)));
        let error = parse_with("SOPHOS_CREDENTIALS_FILE", file).expect_err("both").to_string();
        assert!(error.contains("set one of them"), "{error}");
    }

    #[test]
    fn secret_selector_is_an_id_a_prefix_or_a_tag() {
        let selection = |name, value| match parse(&[(name, value)]).expect(name).credentials {
            CredentialLocation::SecretsManager { selection, time_to_live } => {
                (selection, time_to_live.as_secs())
            }
            other => panic!("{other:?}"),
        };
        let prefix = "sophos/credentials/";
        assert_eq!(selection(SECRET, "acme"), (SecretSelector::Id("acme".into()), 300));
        assert_eq!(selection(PREFIX, prefix), (SecretSelector::Prefix(prefix.into()), 300));
        let tag = SecretSelector::Tag { key: "sophos".into(), value: "credential".into() };
        assert_eq!(selection(TAG, "sophos = credential"), (tag, 300));
        for wrong in ["sophos", "=credential", "sophos="] {
            let error = parse(&[(TAG, wrong)]).expect_err(wrong).to_string();
            assert!(error.contains("key=value"), "{error}");
        }
        let error = parse(&[(SECRET, "acme"), (PREFIX, prefix)]).expect_err("both").to_string();
        assert!(error.contains("SOPHOS_SECRET conflicts with SOPHOS_SECRETS_PREFIX"), "{error}");
        let error = parse_with(SECRET, "acme").expect_err("both").to_string();
        assert!(error.contains("conflicts with SOPHOS_CLIENT_ID"), "{error}");
    }

    #[test]
    fn config_issues_name_their_variable() {
        for (name, value) in [
            ("SOPHOS_CLIENT_ID", " "),
            ("SOPHOS_CLIENT_SECRET", ""),
            ("SOPHOS_CREDENTIALS_FILE", "/nowhere/credential.toml"),
            ("SOPHOS_SECRETS_TTL_SECONDS", "9"),
            ("SOPHOS_RATE_LIMIT", "lots"),
            ("SOPHOS_RATE_RESERVE_PERCENT", "0"),
            ("SOPHOS_RATE_RESERVE_PERCENT", "51"),
            ("SOPHOS_RATE_RESERVE_PERCENT", "1/10"),
            ("SOPHOS_MAX_RESPONSE_BYTES", "65535"),
            ("SOPHOS_MAX_RESPONSE_BYTES", "6 MiB"),
            ("SOPHOS_IDENTITY_URL", "http://127.0.0.1:1"),
            ("SOPHOS_GLOBAL_URL", "127.0.0.1:1"),
            ("SOPHOS_REGION_URLS", "eu01"),
        ] {
            let error = parse_with(name, value).expect_err(name).to_string();
            assert!(error.contains(name), "{name}: {error}");
            assert!(!error.contains("hush"), "{error}");
        }
    }
}
