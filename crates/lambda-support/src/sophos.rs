use std::{path::Path, sync::Arc, time::Duration};

use jiff::Timestamp;
use sophos_api::{
    BaseUrl, Client, DEFAULT_MAX_ANSWER_LEN, Hosts, RateBudget, ReqwestTransport, TransportError,
};
use sophos_secrets::{
    CredentialStore, EnvironmentCredential, FileCredentials, SecretsManager, Selection, SourceError,
    StoredSource, Surveyed,
};
use sophos_store::{SlotBudget, Store, StoreError, file_name};

use crate::{Reader, aws, clock};

/// How long a credential that was read is kept, if not told: what a rotation
/// may take to be noticed while the credential before it still works.
const TIME_TO_LIVE: u64 = 300;

/// The bounds of the longest answer that is read, in bytes.
const MIN_MAX_ANSWER_LEN: u64 = 64 << 10;
const MAX_MAX_ANSWER_LEN: u64 = 256 << 20;

const SECRET: &str = "SOPHOS_SECRET";
const PREFIX: &str = "SOPHOS_SECRETS_PREFIX";
const TAG: &str = "SOPHOS_SECRETS_TAG";
const FILE: &str = "SOPHOS_CREDENTIALS_FILE";
const ID: &str = "SOPHOS_CLIENT_ID";
const CLIENT_SECRET: &str = "SOPHOS_CLIENT_SECRET";

/// How a function reaches Sophos Central.
///
/// Credentials come from one of these places:
///
/// | variable | what it is |
/// |---|---|
/// | `SOPHOS_SECRET` | a secret of Secrets Manager, by name or ARN |
/// | `SOPHOS_SECRETS_PREFIX` | all secrets whose names begin so, such as `sophos/credentials/` |
/// | `SOPHOS_SECRETS_TAG` | all secrets with this tag, such as `sophos=credential` |
/// | `SOPHOS_CREDENTIALS_FILE` | a TOML file that only its owner may read, as [`FileCredentials`] describes |
/// | `SOPHOS_CLIENT_ID`, `SOPHOS_CLIENT_SECRET` | the credential itself, for development |
///
/// A function uses those whose `used_for` names what it does, and those that have
/// none; the others are passed over, as [`Serving`](sophos_secrets::Serving) tells.
///
/// The rest is
///
/// | variable | what it is | if not set |
/// |---|---|---|
/// | `SOPHOS_SECRETS_TTL_SECONDS` | how long what was read of Secrets Manager is kept, 10 to 3600 | 300 |
/// | `SOPHOS_RATE_BUDGET` | `documented`, `unlimited`, or such as `10/s, 100/m+300, 1000/h` | `documented` |
/// | `SOPHOS_SHARED_BUDGET` | where functions spend the budget together: `s3://bucket/prefix`, or a folder | each process has its own; the workers of an export's queue use the export's place |
/// | `SOPHOS_RATE_RESERVE` | of the shared budget one part in so many is left to other functions, 2 to 100 | nothing is |
/// | `SOPHOS_MAX_ANSWER_BYTES` | the longest answer that is read, 65536 to 268435456; each stream that is at work takes up to three times as much memory | 6291456, which four streams of 128 MB can carry |
/// | `SOPHOS_IDENTITY_URL`, `SOPHOS_GLOBAL_URL` | another place than Sophos Central, such as a simulator; both or none | Sophos Central |
/// | `SOPHOS_REGION_URLS` | hosts of data regions there, such as `eu01=http://127.0.0.1:7003` | none |
#[derive(Debug)]
pub struct Sophos {
    /// Where the credentials are.
    pub credentials: Place,
    /// The hosts.
    pub hosts: Hosts,
    /// The calls that a credential may make.
    pub budget: RateBudget,
    /// Where it is spent together with other processes.
    pub shared_budget: Option<String>,
    /// Of the shared budget one part in so many is left to others.
    pub reserve: Option<u64>,
    /// The longest answer that is read, in bytes.
    pub max_answer_len: usize,
}

impl Sophos {
    /// What the variables say.
    pub fn configured(reader: &mut Reader<'_>) -> Self {
        Self {
            credentials: place(reader),
            hosts: hosts(reader),
            budget: reader.value("SOPHOS_RATE_BUDGET").unwrap_or_default(),
            shared_budget: reader.text("SOPHOS_SHARED_BUDGET"),
            reserve: reader.number("SOPHOS_RATE_RESERVE", 2, 100),
            max_answer_len: reader
                .number("SOPHOS_MAX_ANSWER_BYTES", MIN_MAX_ANSWER_LEN, MAX_MAX_ANSWER_LEN)
                .map_or(DEFAULT_MAX_ANSWER_LEN, |bytes| bytes as usize),
        }
    }

    /// A transport to the service, with the settings of these variables.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn transport(&self) -> Result<ReqwestTransport, TransportError> {
        Ok(ReqwestTransport::new()?.with_max_answer_len(self.max_answer_len))
    }

    /// A client of one of the credentials. Its budget is spent together with
    /// other processes if there is a store for that.
    pub fn client(
        &self,
        transport: &ReqwestTransport,
        credentials: &Arc<dyn CredentialStore>,
        name: &str,
        shared: Option<&Store>,
    ) -> Client<ReqwestTransport> {
        let source = StoredSource::new(Arc::clone(credentials), name, clock::since_epoch);
        let mut client = Client::builder(transport.clone(), source).hosts(self.hosts.clone());
        let slots = shared.and_then(|store| {
            let folder = format!("_budget/{}", file_name(name));
            SlotBudget::new(store.clone(), folder, &self.budget, transport.clone())
        });
        client = match slots {
            Some(slots) => {
                client.budget(RateBudget::unlimited()).shared_budget(Arc::new(match self.reserve {
                    Some(one_in) => slots.with_reserve(one_in),
                    None => slots,
                }))
            }
            None => client.budget(self.budget.clone()),
        };
        client.build()
    }

    /// The store in which the budget is spent together, if there is one.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn shared_store(&self) -> Result<Option<Store>, StoreError> {
        self.shared_budget.as_deref().map(Store::open).transpose()
    }
}

/// Where the credentials are.
#[derive(Debug)]
#[non_exhaustive]
pub enum Place {
    /// Two variables.
    Environment(EnvironmentCredential),
    /// A file.
    File(FileCredentials),
    /// Secrets Manager.
    SecretsManager {
        /// Which secrets.
        selection: Selection,
        /// How long what was read is kept.
        time_to_live: Duration,
    },
}

impl Place {
    /// Opens it. Nothing is read yet.
    pub async fn open(&self) -> Arc<dyn CredentialStore> {
        match self {
            Self::Environment(credential) => Arc::new(credential.clone()),
            Self::File(credentials) => Arc::new(credentials.clone()),
            Self::SecretsManager { selection, time_to_live } => {
                Arc::new(managed(selection, *time_to_live).await)
            }
        }
    }

    /// Reads all credentials with what is known of them, for a watch over them.
    ///
    /// # Errors
    /// When the place itself cannot be read.
    pub async fn survey(&self, now: Timestamp) -> Result<Vec<Surveyed>, SourceError> {
        match self {
            Self::SecretsManager { selection, time_to_live } => {
                managed(selection, *time_to_live).await.survey(now).await
            }
            _ => Ok(self.open().await.list().await?.into_iter().map(Surveyed::of).collect()),
        }
    }
}

async fn managed(selection: &Selection, time_to_live: Duration) -> SecretsManager {
    let client = aws_sdk_secretsmanager::Client::new(&aws::settings().await);
    SecretsManager::new(client, selection.clone(), time_to_live, clock::since_epoch)
}

fn place(reader: &mut Reader<'_>) -> Place {
    let time_to_live = reader.number("SOPHOS_SECRETS_TTL_SECONDS", 10, 3_600).unwrap_or(TIME_TO_LIVE);
    let named = [SECRET, PREFIX, TAG, FILE].map(|name| (name, reader.text(name)));
    let mut given = named.into_iter().filter_map(|(name, text)| Some((name, text?)));
    let variables = [ID, CLIENT_SECRET].map(|name| (name, reader.text(name).is_some()));
    let Some((name, text)) = given.next() else {
        for (name, _) in variables.iter().filter(|(_, set)| !set) {
            reader.wrong(name, format!("is not set, and none of {SECRET}, {PREFIX}, {TAG} and {FILE} is"));
        }
        return Place::Environment(EnvironmentCredential::new(ID, CLIENT_SECRET));
    };
    let other = given.next().map(|(name, _)| name);
    if let Some(other) = other.or(variables.iter().find(|(_, set)| *set).map(|(name, _)| *name)) {
        reader.wrong(name, format!("is set, and {other} as well; choose one"));
    }
    let selection = match name {
        FILE => {
            if !Path::new(&text).is_file() {
                reader.wrong(FILE, format!("names {text}, which is no file"));
            }
            return Place::File(FileCredentials::new(text));
        }
        PREFIX => Selection::Prefix(text),
        TAG => {
            let (key, value) = text.split_once('=').unwrap_or((&text, ""));
            let (key, value) = (key.trim().to_owned(), value.trim().to_owned());
            if key.is_empty() || value.is_empty() {
                reader.wrong(TAG, "is no tag; write it as key=value");
            }
            Selection::Tag { key, value }
        }
        _ => Selection::One(text),
    };
    Place::SecretsManager { selection, time_to_live: Duration::from_secs(time_to_live) }
}

fn hosts(reader: &mut Reader<'_>) -> Hosts {
    const IDENTITY: &str = "SOPHOS_IDENTITY_URL";
    const GLOBAL: &str = "SOPHOS_GLOBAL_URL";
    let set = [IDENTITY, GLOBAL].map(|name| reader.text(name).is_some());
    let urls = (reader.value::<BaseUrl>(IDENTITY), reader.value::<BaseUrl>(GLOBAL));
    let mut hosts = match urls {
        (Some(identity), Some(global)) => Hosts::at(identity, global),
        _ => Hosts::sophos(),
    };
    match set {
        [true, false] => reader.wrong(GLOBAL, format!("is not set, and {IDENTITY} is; set both or none")),
        [false, true] => reader.wrong(IDENTITY, format!("is not set, and {GLOBAL} is; set both or none")),
        _ => {}
    }
    for pair in reader.text("SOPHOS_REGION_URLS").iter().flat_map(|pairs| pairs.split(',')) {
        let region = pair.split_once('=').ok_or_else(|| "is not of the form eu01=https://host".to_owned());
        match region
            .and_then(|(code, url)| Ok((code.trim(), url.parse::<BaseUrl>().map_err(|e| e.to_string())?)))
        {
            Ok((code, url)) => hosts = hosts.with_region(code, url),
            Err(problem) => {
                reader.wrong("SOPHOS_REGION_URLS", format!("cannot be read at \"{pair}\": {problem}"))
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

    fn read(variables: &[(&str, &str)]) -> Result<Sophos, ConfigError> {
        let mut reader = Reader::over(|name| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        });
        let sophos = Sophos::configured(&mut reader);
        reader.finish(sophos)
    }

    fn with(name: &str, value: &str) -> Result<Sophos, ConfigError> {
        let mut variables: Vec<_> = CREDENTIAL.into_iter().filter(|(known, _)| *known != name).collect();
        variables.push((name, value));
        read(&variables)
    }

    #[test]
    fn a_credential_is_enough() {
        let sophos = read(&CREDENTIAL).expect("enough");
        assert_eq!(sophos.budget, RateBudget::documented());
        assert!(matches!(sophos.credentials, Place::Environment(_)));
        assert!(!format!("{sophos:?}").contains("hush"), "a configuration shows no secret");
        assert_eq!(with("SOPHOS_RATE_BUDGET", "unlimited").expect("all").budget, RateBudget::unlimited());
        assert_eq!(with("SOPHOS_RATE_BUDGET", "unlimited").expect("all").max_answer_len, 6 << 20);
        assert_eq!(with("SOPHOS_MAX_ANSWER_BYTES", "65536").expect("all").max_answer_len, 65_536);
    }

    #[test]
    fn a_file_stands_for_both_variables() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
        let sophos = read(&[("SOPHOS_CREDENTIALS_FILE", file)]).expect("a file");
        assert!(matches!(sophos.credentials, Place::File(_)));
        let error = with("SOPHOS_CREDENTIALS_FILE", file).expect_err("both").to_string();
        assert!(error.contains("choose one"), "{error}");
    }

    #[test]
    fn secrets_are_chosen_by_name_by_prefix_or_by_tag() {
        let selection = |name, value| match read(&[(name, value)]).expect(name).credentials {
            Place::SecretsManager { selection, time_to_live } => (selection, time_to_live.as_secs()),
            other => panic!("{other:?}"),
        };
        let prefix = "sophos/credentials/";
        assert_eq!(selection(SECRET, "acme"), (Selection::One("acme".into()), 300));
        assert_eq!(selection(PREFIX, prefix), (Selection::Prefix(prefix.into()), 300));
        let tag = Selection::Tag { key: "sophos".into(), value: "credential".into() };
        assert_eq!(selection(TAG, "sophos = credential"), (tag, 300));
        for wrong in ["sophos", "=credential", "sophos="] {
            let error = read(&[(TAG, wrong)]).expect_err(wrong).to_string();
            assert!(error.contains("key=value"), "{error}");
        }
        let error = read(&[(SECRET, "acme"), (PREFIX, prefix)]).expect_err("both").to_string();
        assert!(error.contains("SOPHOS_SECRET is set, and SOPHOS_SECRETS_PREFIX as well"), "{error}");
        let error = with(SECRET, "acme").expect_err("both").to_string();
        assert!(error.contains("SOPHOS_CLIENT_ID as well"), "{error}");
    }

    #[test]
    fn every_mistake_names_its_variable() {
        for (name, value) in [
            ("SOPHOS_CLIENT_ID", " "),
            ("SOPHOS_CLIENT_SECRET", ""),
            ("SOPHOS_CREDENTIALS_FILE", "/nowhere/credential.toml"),
            ("SOPHOS_SECRETS_TTL_SECONDS", "9"),
            ("SOPHOS_RATE_BUDGET", "lots"),
            ("SOPHOS_RATE_RESERVE", "1"),
            ("SOPHOS_MAX_ANSWER_BYTES", "65535"),
            ("SOPHOS_MAX_ANSWER_BYTES", "6 MiB"),
            ("SOPHOS_IDENTITY_URL", "http://127.0.0.1:1"),
            ("SOPHOS_GLOBAL_URL", "127.0.0.1:1"),
            ("SOPHOS_REGION_URLS", "eu01"),
        ] {
            let error = with(name, value).expect_err(name).to_string();
            assert!(error.contains(name), "{name}: {error}");
            assert!(!error.contains("hush"), "{error}");
        }
    }
}
