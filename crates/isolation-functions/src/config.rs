use std::time::Duration;

use lambda_support::{ConfigReader, SophosConfig, WebhookSecretsLocation, logging};

/// The default lease of a run.
const DEFAULT_LEASE_SECONDS: u64 = 90;

/// The configuration of both isolation functions.
#[derive(Debug)]
#[non_exhaustive]
pub struct Config {
    /// The location of the ledger.
    pub ledger: String,
    /// The location of the policy.
    pub policy: String,
    /// Whether a dry run is forced, whatever the policy says.
    pub dry_run: bool,
    /// The EventBridge bus of the outcomes.
    pub event_bus: Option<String>,
    /// The URL of the webhook, for approval links.
    pub approval_url: Option<String>,
    /// The lease of a run.
    pub lease: Duration,
    /// The location of the secrets that the policy names.
    pub secrets: WebhookSecretsLocation,
    /// The credentials and the hosts.
    pub sophos: SophosConfig,
    /// The CloudWatch namespace.
    pub metrics_namespace: String,
}

impl Config {
    /// Reads the configuration. `reader` collects the issues.
    pub fn from_reader(reader: &mut ConfigReader<'_>) -> Self {
        let ledger = parse_location(reader, "ISOLATION_LEDGER", "s3://bucket/prefix or a folder");
        let policy = parse_location(reader, "ISOLATION_POLICY", "a file or s3://bucket/key");
        let approval_url = reader.text("ISOLATION_APPROVAL_URL");
        if approval_url
            .as_ref()
            .is_some_and(|url| !url.starts_with("https://") && !url.starts_with("http://"))
        {
            reader.invalid("ISOLATION_APPROVAL_URL", "is not a URL: expected one that begins with https://");
        }
        logging::validate_level(reader);
        Self {
            ledger,
            policy,
            dry_run: reader.value("ISOLATION_DRY_RUN").unwrap_or(false),
            event_bus: reader.text("ISOLATION_EVENT_BUS"),
            approval_url,
            lease: Duration::from_secs(
                reader.number("ISOLATION_LEASE_SECONDS", 1, 900).unwrap_or(DEFAULT_LEASE_SECONDS),
            ),
            secrets: WebhookSecretsLocation::from_reader(reader),
            sophos: SophosConfig::from_reader(reader),
            metrics_namespace: reader.text("METRICS_NAMESPACE").unwrap_or_else(|| "SophosCentral".into()),
        }
    }
}

fn parse_location(reader: &mut ConfigReader<'_>, name: &str, expected: &str) -> String {
    let Some(location) = reader.text(name) else {
        reader.invalid(name, format!("is not set: expected {expected}"));
        return String::new();
    };
    if location.contains("://") && !location.starts_with("s3://") && !location.starts_with("file://") {
        reader.invalid(name, format!("is not a supported location: expected {expected}"));
    }
    location
}

#[cfg(test)]
mod tests {
    use super::*;

    fn issues(changed: &[(&str, &str)]) -> Vec<String> {
        let least = [
            ("ISOLATION_LEDGER", "s3://bucket/isolation"),
            ("ISOLATION_POLICY", "policy.toml"),
            ("SOPHOS_CLIENT_ID", "id"),
            ("SOPHOS_CLIENT_SECRET", "hush-hush"),
        ];
        let mut reader = ConfigReader::from_fn(|name| {
            let mut all = changed.iter().chain(&least);
            all.find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        });
        let config = Config::from_reader(&mut reader);
        assert!(!format!("{config:?}").contains("hush"), "a configuration shows no secret");
        reader.finish(()).err().map(|error| error.issues().to_vec()).unwrap_or_default()
    }

    #[test]
    fn config_names_the_variable_of_each_issue() {
        assert_eq!(issues(&[]), Vec::<String>::new());
        for (name, value) in [
            ("ISOLATION_LEDGER", ""),
            ("ISOLATION_LEDGER", "ftp://bucket"),
            ("ISOLATION_POLICY", " "),
            ("ISOLATION_APPROVAL_URL", "example.com"),
            ("ISOLATION_DRY_RUN", "yes"),
            ("ISOLATION_LEASE_SECONDS", "0"),
            ("ISOLATION_LEASE_SECONDS", "901"),
            ("ISOLATION_LEASE_SECONDS", "90s"),
            ("LOG_LEVEL", "loud"),
            ("WEBHOOK_SECRETS_FILE", "/nowhere/secrets.toml"),
        ] {
            let found = issues(&[(name, value)]);
            assert!(found.len() == 1 && found[0].starts_with(name), "{name}={value}: {found:?}");
        }
    }
}
