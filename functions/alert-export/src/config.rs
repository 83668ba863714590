//! The function's configuration from environment variables. It is validated when the
//! function starts, and one error lists all issues.
//!
//! | variable | value | default |
//! |---|---|---|
//! | `EXPORT_LOCATION` | `s3://bucket/prefix`, or a folder | required |
//! | `EXPORT_ROLE_ARN` | the role with which the bucket is written, such as that of another account | the function's own |
//! | `EXPORT_EXTERNAL_ID` | the external id that the trust policy of the role requires | none |
//! | `EXPORT_EVENT_BUS` | the EventBridge bus on which committed objects are announced, by name or ARN | none |
//! | `EXPORT_DATASETS` | names of [`Dataset`]s, separated by commas | `events,alerts` |
//! | `EXPORT_LEDGER` | the ledger of isolation, as `ISOLATION_LEDGER` of its worker; for the dataset `isolations` | none |
//! | `EXPORT_SNAPSHOT_HOURS` | hours between two snapshots of a tenant, 1 to 168 | 24 |
//! | `EXPORT_FORMAT` | a format, such as `parquet`, and others for some datasets: `ndjson.gz,endpoints=parquet` | `ndjson.gz` |
//! | `EXPORT_OVERLAP_SECONDS` | seconds at the end of the feed that the next run rereads, up to 43200 | 600 |
//! | `EXPORT_CONCURRENCY` | concurrent streams, 1 to 64 | 4 |
//! | `EXPORT_ROWS_PER_COMMIT` | rows after which a run commits and continues, from 1000 | 250000 |
//! | `EXPORT_MAX_EVENT_SKEW_SECONDS` | maximum distance between a record's time by the endpoint's clock and its creation time, up to a year; beyond it, the creation time decides the partition | 604800 |
//! | `EXPORT_MAX_SERVICE_SKEW_SECONDS` | maximum skew of Sophos Central's clock, 1 to 3155760000; beyond it, the function's clock counts | 120 |
//! | `EXPORT_QUEUE_URL` | the SQS queue: a schedule sends a plan, and the messages are processed | one invocation exports everything |
//! | `EXPORT_DLQ_URL` | the dead-letter queue for failed messages, each with the reason | the queue's redrive policy |
//! | `EXPORT_MAX_RECEIVES` | receives after which a failed message goes to the dead-letter queue, 1 to 100; the queue's redrive policy must allow more | 5 |
//! | `EXPORT_STREAM_TIMEOUT_SECONDS` | seconds of a stream in one message, 1 to 900; the rest continues in another message | 60 |
//! | `EXPORT_INVENTORY_MAX_AGE_SECONDS` | maximum age of a tenant inventory, up to 86400 | 3600 |
//! | `SOPHOS_…` | the credentials, the hosts and the rate limit, see [`lambda_support::SophosConfig`] | |
//! | `METRICS_NAMESPACE` | the CloudWatch namespace | `SophosCentral` |
//! | `METRICS_PER_TENANT` | `true` or `false`: metrics of each tenant, which CloudWatch bills separately | `true` |
//! | `LOG_LEVEL` | `error`, `warn`, `info`, `debug` or `trace` | `info` |

use std::time::Duration;

use lambda_support::{ConfigError, ConfigReader, SophosConfig, assumed_role::RoleRef, logging};
use sophos_export::{Dataset, ExportSettings, FormatSelection};

#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) location: String,
    /// The role with which the location is opened; `None` for the function's own.
    pub(crate) role: Option<RoleRef>,
    /// The bus on which committed objects are announced.
    pub(crate) event_bus: Option<String>,
    pub(crate) datasets: Vec<Dataset>,
    /// The location of the ledger of isolation.
    pub(crate) ledger: Option<String>,
    pub(crate) settings: ExportSettings,
    pub(crate) sophos: SophosConfig,
    pub(crate) metrics: MetricsSettings,
    /// The queue; `None` to export everything in one invocation.
    pub(crate) queue: Option<QueueSettings>,
}

/// The settings of the queue.
#[derive(Debug)]
pub(crate) struct QueueSettings {
    pub(crate) url: String,
    pub(crate) dlq_url: Option<String>,
    pub(crate) max_receives: u32,
    pub(crate) stream_timeout: Duration,
    pub(crate) inventory_max_age: Duration,
}

/// The settings of metrics.
#[derive(Debug)]
pub(crate) struct MetricsSettings {
    pub(crate) namespace: String,
    pub(crate) per_tenant: bool,
    /// Whether commits are announced.
    pub(crate) announces: bool,
}

impl Config {
    pub(crate) fn from_environment() -> Result<Self, ConfigError> {
        Self::parse(ConfigReader::from_env())
    }

    fn parse(mut reader: ConfigReader<'_>) -> Result<Self, ConfigError> {
        let defaults = ExportSettings::default();

        let location = reader.text("EXPORT_LOCATION").unwrap_or_else(|| {
            reader.invalid("EXPORT_LOCATION", "is not set; set it to s3://bucket/prefix or a folder");
            String::new()
        });
        validate_location(&mut reader, "EXPORT_LOCATION", &location);
        let datasets = parse_datasets(&mut reader);
        let ledger = reader.text("EXPORT_LEDGER");
        match &ledger {
            Some(ledger) => validate_location(&mut reader, "EXPORT_LEDGER", ledger),
            None if datasets.contains(&Dataset::Isolations) => {
                reader.invalid("EXPORT_LEDGER", "is not set; the dataset isolations needs it");
            }
            None => {}
        }
        let mut settings = ExportSettings::default();
        settings.formats = reader.value::<FormatSelection>("EXPORT_FORMAT").unwrap_or_default();
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
        let snapshots = reader.number("EXPORT_SNAPSHOT_HOURS", 1, 168);
        settings.snapshot_interval =
            snapshots.map_or(defaults.snapshot_interval, |hours| Duration::from_secs(hours * 3_600));

        let queue = parse_queue(&mut reader);
        let role = RoleRef::from_reader(&mut reader, "EXPORT_ROLE_ARN", "EXPORT_EXTERNAL_ID");
        let event_bus = reader.text("EXPORT_EVENT_BUS");
        for (name, is_set) in [("EXPORT_ROLE_ARN", role.is_some()), ("EXPORT_EVENT_BUS", event_bus.is_some())]
        {
            if is_set && !location.starts_with("s3://") {
                reader.invalid(name, "needs a bucket: set EXPORT_LOCATION to s3://bucket/prefix");
            }
        }

        logging::validate_level(&mut reader);
        let config = Self {
            queue,
            location,
            role,
            datasets,
            ledger,
            settings,
            sophos: SophosConfig::from_reader(&mut reader),
            metrics: MetricsSettings {
                namespace: reader.text("METRICS_NAMESPACE").unwrap_or_else(|| "SophosCentral".into()),
                per_tenant: reader.value("METRICS_PER_TENANT").unwrap_or(true),
                announces: event_bus.is_some(),
            },
            event_bus,
        };
        reader.finish(config)
    }
}

fn validate_location(reader: &mut ConfigReader<'_>, name: &'static str, location: &str) {
    if location.contains("://") && !location.starts_with("s3://") && !location.starts_with("file://") {
        reader.invalid(name, "is invalid: expected s3://bucket/prefix or a folder");
    }
}

fn parse_datasets(reader: &mut ConfigReader<'_>) -> Vec<Dataset> {
    let Some(names) = reader.text("EXPORT_DATASETS") else { return Dataset::DEFAULT.to_vec() };
    let mut datasets = Vec::new();
    for name in names.split(',') {
        match name.parse::<Dataset>() {
            Ok(dataset) if datasets.contains(&dataset) => {}
            Ok(dataset) => datasets.push(dataset),
            Err(error) => reader.invalid("EXPORT_DATASETS", format!("is invalid: {error}")),
        }
    }
    datasets
}

fn parse_queue(reader: &mut ConfigReader<'_>) -> Option<QueueSettings> {
    let seconds = |reader: &mut ConfigReader<'_>, name, min, max, default| {
        Duration::from_secs(reader.number(name, min, max).unwrap_or(default))
    };
    let max_receives = reader.number("EXPORT_MAX_RECEIVES", 1, 100).unwrap_or(5) as u32;
    let stream_timeout = seconds(reader, "EXPORT_STREAM_TIMEOUT_SECONDS", 1, 900, 60);
    let inventory_max_age = seconds(reader, "EXPORT_INVENTORY_MAX_AGE_SECONDS", 0, 86_400, 3_600);
    let mut queue_url = |name| {
        let url = reader.text(name)?;
        if !url.starts_with("https://") && !url.starts_with("http://") {
            reader.invalid(
                name,
                "is invalid: expected the URL of a queue, such as https://sqs.eu-west-1.amazonaws.com/…",
            );
        }
        Some(url)
    };
    let (url, dlq_url) = (queue_url("EXPORT_QUEUE_URL"), queue_url("EXPORT_DLQ_URL"));
    if url.is_none() && dlq_url.is_some() {
        reader.invalid("EXPORT_DLQ_URL", "is set without EXPORT_QUEUE_URL; set both or none");
    }
    Some(QueueSettings { url: url?, dlq_url, max_receives, stream_timeout, inventory_max_age })
}

#[cfg(test)]
mod tests {
    use sophos_api::RateLimit;
    use sophos_export::Format;

    use super::*;

    const REQUIRED: [(&str, &str); 3] = [
        ("EXPORT_LOCATION", "s3://bucket/sophos"),
        ("SOPHOS_CLIENT_ID", "id"),
        ("SOPHOS_CLIENT_SECRET", "hush-hush"),
    ];

    fn parse(variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
        Config::parse(ConfigReader::from_fn(|name| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        }))
    }

    fn parse_with(name: &str, value: &str) -> Result<Config, ConfigError> {
        let mut variables: Vec<_> = REQUIRED.into_iter().filter(|(known, _)| *known != name).collect();
        variables.push((name, value));
        parse(&variables)
    }

    #[test]
    fn config_uses_defaults_for_optional_variables() {
        let config = parse(&REQUIRED).expect("enough");
        assert_eq!(config.settings, ExportSettings::default());
        assert_eq!(config.datasets, Dataset::DEFAULT);
        assert_eq!(config.sophos.rate_limit, RateLimit::documented());
        assert!(config.metrics.per_tenant);
        assert!(!format!("{config:?}").contains("hush"), "a configuration shows no secret");
    }

    #[test]
    fn config_reads_every_variable() {
        let config = parse_with("EXPORT_DATASETS", " alerts , alerts ").expect("one dataset");
        assert_eq!(config.datasets, [Dataset::Alerts]);
        let formats =
            parse_with("EXPORT_FORMAT", "parquet,events=ndjson.gz").expect("formats").settings.formats;
        assert_eq!(formats.format(Dataset::Events), Format::NdjsonGzip);
        assert_eq!(formats.format(Dataset::Alerts), Format::Parquet);
        assert_eq!(parse_with("EXPORT_OVERLAP_SECONDS", "0").expect("none").settings.overlap, Duration::ZERO);
        let snapshots = parse_with("EXPORT_SNAPSHOT_HOURS", "6").expect("six hours").settings;
        assert_eq!(snapshots.snapshot_interval, Duration::from_secs(21_600));
        assert_eq!(parse_with("EXPORT_CONCURRENCY", "64").expect("many").settings.concurrency, 64);
        assert_eq!(
            parse_with("SOPHOS_RATE_LIMIT", "unlimited").expect("all").sophos.rate_limit,
            RateLimit::unlimited()
        );
        assert_eq!(
            parse_with("METRICS_NAMESPACE", "").expect("empty is unset").metrics.namespace,
            "SophosCentral"
        );
        let queues = parse_with("EXPORT_QUEUE_URL", "http://127.0.0.1:1/1/q.fifo").expect("a queue").queue;
        assert_eq!(
            queues.map(|queues| (queues.max_receives, queues.stream_timeout.as_secs())),
            Some((5, 60))
        );
        assert!(!parse_with("METRICS_PER_TENANT", "false").expect("off").metrics.per_tenant);
    }

    #[test]
    fn config_error_names_the_invalid_variable() {
        for (name, value) in [
            ("EXPORT_LOCATION", ""),
            ("EXPORT_LOCATION", "ftp://bucket"),
            ("EXPORT_ROLE_ARN", "arn:aws:iam::123456789012:user/writer"),
            ("EXPORT_EXTERNAL_ID", "x"),
            ("EXPORT_DATASETS", "events,logs"),
            ("EXPORT_LEDGER", "ftp://bucket"),
            ("EXPORT_SNAPSHOT_HOURS", "0"),
            ("EXPORT_SNAPSHOT_HOURS", "169"),
            ("EXPORT_FORMAT", "xml"),
            ("EXPORT_FORMAT", "ndjson.gz,endpoints"),
            ("EXPORT_OVERLAP_SECONDS", "ten"),
            ("EXPORT_OVERLAP_SECONDS", "43201"),
            ("EXPORT_CONCURRENCY", "0"),
            ("EXPORT_ROWS_PER_COMMIT", "1"),
            ("EXPORT_MAX_EVENT_SKEW_SECONDS", "31536001"),
            ("EXPORT_MAX_SERVICE_SKEW_SECONDS", "0"),
            ("EXPORT_QUEUE_URL", "exports.fifo"),
            ("EXPORT_DLQ_URL", "http://127.0.0.1:1/1/dead"),
            ("EXPORT_MAX_RECEIVES", "0"),
            ("EXPORT_STREAM_TIMEOUT_SECONDS", "901"),
            ("EXPORT_INVENTORY_MAX_AGE_SECONDS", "a day"),
            ("SOPHOS_CLIENT_ID", " "),
            ("SOPHOS_CLIENT_SECRET", ""),
            ("SOPHOS_CREDENTIALS_FILE", "/nowhere/credential.toml"),
            ("SOPHOS_RATE_LIMIT", "lots"),
            ("SOPHOS_IDENTITY_URL", "http://127.0.0.1:1"),
            ("SOPHOS_GLOBAL_URL", "127.0.0.1:1"),
            ("SOPHOS_REGION_URLS", "eu01"),
            ("METRICS_PER_TENANT", "maybe"),
            ("LOG_LEVEL", "loud"),
        ] {
            let error = parse_with(name, value).expect_err(name).to_string();
            assert!(error.contains(name) || error.contains("SOPHOS_GLOBAL_URL"), "{name}: {error}");
            assert!(!error.contains("hush"), "{error}");
        }
    }

    #[test]
    fn config_requires_the_ledger_for_its_dataset() {
        let error = parse_with("EXPORT_DATASETS", "events,isolations").expect_err("no ledger").to_string();
        assert!(error.contains("EXPORT_LEDGER is not set"), "{error}");
        let mut variables = REQUIRED.to_vec();
        variables.extend([("EXPORT_DATASETS", "isolations"), ("EXPORT_LEDGER", "s3://bucket/isolation")]);
        assert_eq!(parse(&variables).expect("both").ledger.as_deref(), Some("s3://bucket/isolation"));
    }

    #[test]
    fn config_rejects_notices_and_roles_for_a_folder() {
        for (name, value) in
            [("EXPORT_EVENT_BUS", "siem"), ("EXPORT_ROLE_ARN", "arn:aws:iam::123456789012:role/writer")]
        {
            assert!(parse_with(name, value).is_ok(), "{name} is valid with a bucket");
            let mut variables = vec![("EXPORT_LOCATION", "/data/sophos"), (name, value)];
            variables.extend(&REQUIRED[1..]);
            let error = parse(&variables).expect_err(name).to_string();
            assert!(error.contains(&format!("{name} needs a bucket")), "{error}");
        }
    }

    #[test]
    fn config_error_lists_all_invalid_variables() {
        let error = parse(&[("EXPORT_CONCURRENCY", "0")]).expect_err("nothing is set");
        assert_eq!(error.issues().len(), 4, "{error}");
    }
}
