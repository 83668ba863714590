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
//! | `EXPORT_MAX_EVENT_SKEW_SECONDS` | how far an endpoint's clock may be from when Sophos Central took its record in, up to a year; beyond, the row is in the partition of the latter | 604800 |
//! | `EXPORT_MAX_SERVICE_SKEW_SECONDS` | how far the time of Sophos Central may be from the function's own to be believed, 1 to 3155760000 | 120 |
//! | `EXPORT_QUEUE_URL` | a queue of SQS: a schedule then plans, and messages are worked off | all is done in one invocation |
//! | `EXPORT_DEAD_LETTERS_URL` | where messages go that cannot be worked off, each with the reason | the queue's own redrive |
//! | `EXPORT_ATTEMPTS` | how often a message is tried, 1 to 100; the queue's own redrive must allow more | 5 |
//! | `EXPORT_TURN_SECONDS` | how long one stream may take before others have their turn, 1 to 900 | 60 |
//! | `EXPORT_TENANTS_MAX_AGE_SECONDS` | how old a list of tenants may be, up to 86400 | 3600 |
//! | `SOPHOS_…` | the credentials, the hosts and the rate budget, see [`lambda_support::Sophos`] | |
//! | `METRICS_NAMESPACE` | the CloudWatch namespace | `SophosCentral` |
//! | `METRICS_PER_TENANT` | `true` or `false`: metrics of each tenant, which CloudWatch bills each | `true` |
//! | `LOG_LEVEL` | `error`, `warn`, `info`, `debug` or `trace` | `info` |

use std::time::Duration;

use lambda_support::{ConfigError, Reader, Sophos, logging};
use sophos_export::{Dataset, Format, Settings};

#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) location: String,
    pub(crate) datasets: Vec<Dataset>,
    pub(crate) settings: Settings,
    pub(crate) sophos: Sophos,
    pub(crate) metrics: Metrics,
    /// How a plan is worked off; `None` for all in one invocation.
    pub(crate) queues: Option<Queues>,
}

/// How a plan is worked off.
#[derive(Debug)]
pub(crate) struct Queues {
    pub(crate) url: String,
    pub(crate) dead_letters: Option<String>,
    pub(crate) attempts: u32,
    pub(crate) turn: Duration,
    pub(crate) tenants_max_age: Duration,
}

/// Which metrics are written.
#[derive(Debug)]
pub(crate) struct Metrics {
    pub(crate) namespace: String,
    pub(crate) per_tenant: bool,
}

impl Config {
    pub(crate) fn from_environment() -> Result<Self, ConfigError> {
        Self::read(Reader::environment())
    }

    fn read(mut reader: Reader<'_>) -> Result<Self, ConfigError> {
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
        let skew = reader.number("EXPORT_MAX_EVENT_SKEW_SECONDS", 0, 31_536_000);
        settings.max_event_skew = skew.map_or(defaults.max_event_skew, Duration::from_secs);
        let skew = reader.number("EXPORT_MAX_SERVICE_SKEW_SECONDS", 1, 3_155_760_000);
        settings.max_service_skew = skew.map_or(defaults.max_service_skew, Duration::from_secs);

        let queues = queues(&mut reader);

        logging::check(&mut reader);
        let config = Self {
            queues,
            location,
            datasets: datasets(&mut reader),
            settings,
            sophos: Sophos::configured(&mut reader),
            metrics: Metrics {
                namespace: reader.text("METRICS_NAMESPACE").unwrap_or_else(|| "SophosCentral".into()),
                per_tenant: reader.value("METRICS_PER_TENANT").unwrap_or(true),
            },
        };
        reader.finish(config)
    }
}

fn datasets(reader: &mut Reader<'_>) -> Vec<Dataset> {
    let Some(names) = reader.text("EXPORT_DATASETS") else { return Dataset::ALL.to_vec() };
    let mut datasets = Vec::new();
    for name in names.split(',') {
        match name.parse::<Dataset>() {
            Ok(dataset) if datasets.contains(&dataset) => {}
            Ok(dataset) => datasets.push(dataset),
            Err(error) => reader.wrong("EXPORT_DATASETS", format!("cannot be read: {error}")),
        }
    }
    datasets
}

fn queues(reader: &mut Reader<'_>) -> Option<Queues> {
    let seconds = |reader: &mut Reader<'_>, name, least, most, usual| {
        Duration::from_secs(reader.number(name, least, most).unwrap_or(usual))
    };
    let attempts = reader.number("EXPORT_ATTEMPTS", 1, 100).unwrap_or(5) as u32;
    let turn = seconds(reader, "EXPORT_TURN_SECONDS", 1, 900, 60);
    let tenants_max_age = seconds(reader, "EXPORT_TENANTS_MAX_AGE_SECONDS", 0, 86_400, 3_600);
    let mut address = |name| {
        let url = reader.text(name)?;
        if !url.starts_with("https://") && !url.starts_with("http://") {
            reader.wrong(name, "is no address of a queue; it begins with https://");
        }
        Some(url)
    };
    let (url, dead_letters) = (address("EXPORT_QUEUE_URL"), address("EXPORT_DEAD_LETTERS_URL"));
    if url.is_none() && dead_letters.is_some() {
        reader.wrong("EXPORT_DEAD_LETTERS_URL", "is set, and EXPORT_QUEUE_URL is not; set both");
    }
    Some(Queues { url: url?, dead_letters, attempts, turn, tenants_max_age })
}

#[cfg(test)]
mod tests {
    use sophos_api::RateBudget;

    use super::*;

    const LEAST: [(&str, &str); 3] = [
        ("EXPORT_LOCATION", "s3://bucket/sophos"),
        ("SOPHOS_CLIENT_ID", "id"),
        ("SOPHOS_CLIENT_SECRET", "hush-hush"),
    ];

    fn read(variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
        Config::read(Reader::over(|name| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        }))
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
        assert_eq!(config.sophos.budget, RateBudget::documented());
        assert!(config.metrics.per_tenant);
        assert!(!format!("{config:?}").contains("hush"), "a configuration shows no secret");
    }

    #[test]
    fn everything_can_be_set() {
        let config = with("EXPORT_DATASETS", " alerts , alerts ").expect("one dataset");
        assert_eq!(config.datasets, [Dataset::Alerts]);
        assert_eq!(with("EXPORT_OVERLAP_SECONDS", "0").expect("none").settings.overlap, Duration::ZERO);
        assert_eq!(with("EXPORT_CONCURRENCY", "64").expect("many").settings.concurrency, 64);
        assert_eq!(
            with("SOPHOS_RATE_BUDGET", "unlimited").expect("all").sophos.budget,
            RateBudget::unlimited()
        );
        assert_eq!(with("METRICS_NAMESPACE", "").expect("empty is unset").metrics.namespace, "SophosCentral");
        let queues = with("EXPORT_QUEUE_URL", "http://127.0.0.1:1/1/q.fifo").expect("a queue").queues;
        assert_eq!(queues.map(|queues| (queues.attempts, queues.turn.as_secs())), Some((5, 60)));
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
            ("EXPORT_MAX_EVENT_SKEW_SECONDS", "31536001"),
            ("EXPORT_MAX_SERVICE_SKEW_SECONDS", "0"),
            ("EXPORT_QUEUE_URL", "exports.fifo"),
            ("EXPORT_DEAD_LETTERS_URL", "http://127.0.0.1:1/1/dead"),
            ("EXPORT_ATTEMPTS", "0"),
            ("EXPORT_TURN_SECONDS", "901"),
            ("EXPORT_TENANTS_MAX_AGE_SECONDS", "a day"),
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
        let error = read(&[("EXPORT_CONCURRENCY", "0")]).expect_err("nothing is set");
        assert_eq!(error.mistakes().len(), 4, "{error}");
    }
}
