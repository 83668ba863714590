//! The function's configuration, from its environment. All of it is checked
//! when the function starts, and every mistake is told at once.
//!
//! | variable | what it is | if not set |
//! |---|---|---|
//! | `EXPORT_LOCATION` | `s3://bucket/prefix`, or a folder | must be set |
//! | `EXPORT_DATASETS` | `events`, `alerts`, or both with a comma | both |
//! | `EXPORT_FORMAT` | `ndjson.gz` | `ndjson.gz` |
//! | `EXPORT_OVERLAP_SECONDS` | how much of the feed's end is read again, up to 43200 | 600 |
//! | `EXPORT_CONCURRENCY` | streams at work at once, 1 to 64 | 4 |
//! | `EXPORT_ROWS_PER_COMMIT` | rows after which a run commits and goes on, from 1000 | 250000 |
//! | `SOPHOS_CREDENTIALS_FILE` | a TOML file with `client_id` and `client_secret` | the next two |
//! | `SOPHOS_CLIENT_ID`, `SOPHOS_CLIENT_SECRET` | the credential itself, for development | |
//! | `SOPHOS_RATE_BUDGET` | `documented`, `unlimited`, or such as `10/s, 100/m+300, 1000/h` | `documented` |
//! | `SOPHOS_IDENTITY_URL`, `SOPHOS_GLOBAL_URL` | another place than Sophos Central, such as a simulator; both or none | Sophos Central |
//! | `SOPHOS_REGION_URLS` | hosts of data regions there, such as `eu01=http://127.0.0.1:7003` | none |
//! | `METRICS_NAMESPACE` | the CloudWatch namespace | `SophosCentral` |
//! | `METRICS_PER_TENANT` | `true` or `false`: metrics of each tenant, which CloudWatch bills each | `true` |
//! | `LOG_LEVEL` | `error`, `warn`, `info`, `debug` or `trace` | `info` |

use std::{env, fmt, fmt::Display, path::Path, str::FromStr, time::Duration};

use sophos_api::{BaseUrl, Credentials, Hosts, RateBudget};
use sophos_export::{Dataset, Format, Settings};
use sophos_secrets::{CredentialSource, EnvironmentSource, FileSource, SourceError};
use tracing::level_filters::LevelFilter;

use crate::logging;

#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) location: String,
    pub(crate) datasets: Vec<Dataset>,
    pub(crate) settings: Settings,
    pub(crate) credentials: Source,
    pub(crate) hosts: Hosts,
    pub(crate) budget: RateBudget,
    pub(crate) metrics: Metrics,
}

/// Which metrics are written.
#[derive(Debug)]
pub(crate) struct Metrics {
    pub(crate) namespace: String,
    pub(crate) per_tenant: bool,
}

/// Where the credential comes from.
#[derive(Debug)]
pub(crate) enum Source {
    Environment(EnvironmentSource),
    File(FileSource),
}

impl CredentialSource for Source {
    async fn read(&self) -> Result<Credentials, SourceError> {
        match self {
            Self::Environment(source) => source.read().await,
            Self::File(source) => source.read().await,
        }
    }
}

/// Everything that is wrong with the configuration.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ConfigError(Vec<String>);

impl Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the configuration is wrong: {}", self.0.join("; "))
    }
}

impl std::error::Error for ConfigError {}

impl Config {
    pub(crate) fn from_environment() -> Result<Self, ConfigError> {
        Self::read(|name| env::var(name).ok())
    }

    fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let mut reader = Reader { variable: &variable, wrong: Vec::new() };
        let defaults = Settings::default();

        let location = reader.text("EXPORT_LOCATION").unwrap_or_else(|| {
            reader.wrong("EXPORT_LOCATION", "is not set; set it to s3://bucket/prefix or to a folder");
            String::new()
        });
        if location.contains("://") && !location.starts_with("s3://") && !location.starts_with("file://") {
            reader.wrong("EXPORT_LOCATION", "must be s3://bucket/prefix or a folder");
        }
        let mut settings = Settings::default();
        settings.format = reader.value::<Format>("EXPORT_FORMAT").unwrap_or_default();
        let overlap = reader.number("EXPORT_OVERLAP_SECONDS", 0, 43_200);
        settings.overlap = overlap.map_or(defaults.overlap, Duration::from_secs);
        let concurrency = reader.number("EXPORT_CONCURRENCY", 1, 64);
        settings.concurrency = concurrency.map_or(defaults.concurrency, |number| number as usize);
        let rows = reader.number("EXPORT_ROWS_PER_COMMIT", 1_000, 100_000_000);
        settings.rows_per_commit = rows.unwrap_or(defaults.rows_per_commit);

        let _ = reader.value::<LevelFilter>(logging::LEVEL);
        let config = Self {
            location,
            datasets: reader.datasets(),
            settings,
            credentials: reader.credentials(),
            hosts: reader.hosts(),
            budget: reader.value::<RateBudget>("SOPHOS_RATE_BUDGET").unwrap_or_default(),
            metrics: Metrics {
                namespace: reader.text("METRICS_NAMESPACE").unwrap_or_else(|| "SophosCentral".into()),
                per_tenant: reader.value("METRICS_PER_TENANT").unwrap_or(true),
            },
        };
        if reader.wrong.is_empty() { Ok(config) } else { Err(ConfigError(reader.wrong)) }
    }
}

struct Reader<'v> {
    variable: &'v dyn Fn(&str) -> Option<String>,
    wrong: Vec<String>,
}

impl Reader<'_> {
    fn wrong(&mut self, name: &str, problem: impl Display) {
        self.wrong.push(format!("{name} {problem}"));
    }

    /// A variable that is empty is not set: templates cannot leave one out.
    fn text(&self, name: &str) -> Option<String> {
        (self.variable)(name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
    }

    fn value<V: FromStr<Err: Display>>(&mut self, name: &str) -> Option<V> {
        match self.text(name)?.parse() {
            Ok(value) => Some(value),
            Err(error) => {
                self.wrong(name, format!("cannot be read: {error}"));
                None
            }
        }
    }

    fn number(&mut self, name: &str, least: u64, most: u64) -> Option<u64> {
        let number = self.value::<u64>(name)?;
        if !(least..=most).contains(&number) {
            self.wrong(name, format!("is {number}; it must be from {least} to {most}"));
        }
        Some(number)
    }

    fn datasets(&mut self) -> Vec<Dataset> {
        let Some(names) = self.text("EXPORT_DATASETS") else { return Dataset::ALL.to_vec() };
        let mut datasets = Vec::new();
        for name in names.split(',') {
            match name.parse::<Dataset>() {
                Ok(dataset) if datasets.contains(&dataset) => {}
                Ok(dataset) => datasets.push(dataset),
                Err(error) => self.wrong("EXPORT_DATASETS", format!("cannot be read: {error}")),
            }
        }
        datasets
    }

    fn credentials(&mut self) -> Source {
        const ID: &str = "SOPHOS_CLIENT_ID";
        const SECRET: &str = "SOPHOS_CLIENT_SECRET";
        let variables = [ID, SECRET].map(|name| (name, self.text(name).is_some()));
        if let Some(path) = self.text("SOPHOS_CREDENTIALS_FILE") {
            if variables.iter().any(|(_, set)| *set) {
                self.wrong(
                    "SOPHOS_CREDENTIALS_FILE",
                    format!("is set, and {ID} or {SECRET} as well; choose one"),
                );
            }
            if !Path::new(&path).is_file() {
                self.wrong("SOPHOS_CREDENTIALS_FILE", format!("names {path}, which is no file"));
            }
            return Source::File(FileSource::new(path));
        }
        for (name, _) in variables.iter().filter(|(_, set)| !set) {
            self.wrong(name, "is not set, and neither is SOPHOS_CREDENTIALS_FILE");
        }
        Source::Environment(EnvironmentSource::new(ID, SECRET))
    }

    fn hosts(&mut self) -> Hosts {
        const IDENTITY: &str = "SOPHOS_IDENTITY_URL";
        const GLOBAL: &str = "SOPHOS_GLOBAL_URL";
        let set = [IDENTITY, GLOBAL].map(|name| self.text(name).is_some());
        let urls = (self.value::<BaseUrl>(IDENTITY), self.value::<BaseUrl>(GLOBAL));
        let mut hosts = match urls {
            (Some(identity), Some(global)) => Hosts::at(identity, global),
            _ => Hosts::sophos(),
        };
        match set {
            [true, false] => self.wrong(GLOBAL, format!("is not set, and {IDENTITY} is; set both or none")),
            [false, true] => self.wrong(IDENTITY, format!("is not set, and {GLOBAL} is; set both or none")),
            _ => {}
        }
        for pair in self.text("SOPHOS_REGION_URLS").iter().flat_map(|pairs| pairs.split(',')) {
            let region =
                pair.split_once('=').ok_or_else(|| "is not of the form eu01=https://host".to_owned());
            match region
                .and_then(|(code, url)| Ok((code.trim(), url.parse::<BaseUrl>().map_err(|e| e.to_string())?)))
            {
                Ok((code, url)) => hosts = hosts.with_region(code, url),
                Err(problem) => {
                    self.wrong("SOPHOS_REGION_URLS", format!("cannot be read at \"{pair}\": {problem}"))
                }
            }
        }
        hosts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEAST: [(&str, &str); 3] = [
        ("EXPORT_LOCATION", "s3://bucket/sophos"),
        ("SOPHOS_CLIENT_ID", "id"),
        ("SOPHOS_CLIENT_SECRET", "hush-hush"),
    ];

    fn read(variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
        Config::read(|name| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        })
    }

    fn with(name: &str, value: &str) -> Result<Config, ConfigError> {
        let mut variables: Vec<_> = LEAST.into_iter().filter(|(known, _)| *known != name).collect();
        variables.push((name, value));
        read(&variables)
    }

    #[test]
    fn little_must_be_set() {
        let config = read(&LEAST).expect("enough");
        assert_eq!(config.settings, Settings::default());
        assert_eq!(config.datasets, Dataset::ALL);
        assert_eq!(config.budget, RateBudget::documented());
        assert!(config.metrics.per_tenant);
        assert!(!format!("{config:?}").contains("hush"), "a configuration shows no secret");
    }

    #[test]
    fn everything_can_be_set() {
        let config = with("EXPORT_DATASETS", " alerts , alerts ").expect("one dataset");
        assert_eq!(config.datasets, [Dataset::Alerts]);
        assert_eq!(with("EXPORT_OVERLAP_SECONDS", "0").expect("none").settings.overlap, Duration::ZERO);
        assert_eq!(with("EXPORT_CONCURRENCY", "64").expect("many").settings.concurrency, 64);
        assert_eq!(with("SOPHOS_RATE_BUDGET", "unlimited").expect("all").budget, RateBudget::unlimited());
        assert_eq!(with("METRICS_NAMESPACE", "").expect("empty is unset").metrics.namespace, "SophosCentral");
        assert!(!with("METRICS_PER_TENANT", "false").expect("off").metrics.per_tenant);
    }

    #[test]
    fn every_mistake_names_its_variable() {
        for (name, value) in [
            ("EXPORT_LOCATION", ""),
            ("EXPORT_LOCATION", "ftp://bucket"),
            ("EXPORT_DATASETS", "events,logs"),
            ("EXPORT_FORMAT", "xml"),
            ("EXPORT_OVERLAP_SECONDS", "ten"),
            ("EXPORT_OVERLAP_SECONDS", "43201"),
            ("EXPORT_CONCURRENCY", "0"),
            ("EXPORT_ROWS_PER_COMMIT", "1"),
            ("SOPHOS_CLIENT_ID", " "),
            ("SOPHOS_CLIENT_SECRET", ""),
            ("SOPHOS_CREDENTIALS_FILE", "/nowhere/credential.toml"),
            ("SOPHOS_RATE_BUDGET", "lots"),
            ("SOPHOS_IDENTITY_URL", "http://127.0.0.1:1"),
            ("SOPHOS_GLOBAL_URL", "127.0.0.1:1"),
            ("SOPHOS_REGION_URLS", "eu01"),
            ("METRICS_PER_TENANT", "maybe"),
            ("LOG_LEVEL", "loud"),
        ] {
            let error = with(name, value).expect_err(name).to_string();
            assert!(error.contains(name) || error.contains("SOPHOS_GLOBAL_URL"), "{name}: {error}");
            assert!(!error.contains("hush"), "{error}");
        }
    }

    #[test]
    fn all_mistakes_are_told_at_once() {
        let ConfigError(wrong) = read(&[("EXPORT_CONCURRENCY", "0")]).expect_err("nothing is set");
        assert_eq!(wrong.len(), 4, "{wrong:?}");
    }
}
