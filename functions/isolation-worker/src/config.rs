use std::time::Duration;

use lambda_support::{ConfigReader, SophosConfig, WebhookSecretsLocation, logging};

/// Seconds that a run has for its call, if not told.
const DEFAULT_LEASE_SECONDS: u64 = 90;

/// What both functions of isolation are told by their environment.
#[derive(Debug)]
#[non_exhaustive]
pub struct Config {
    /// Where decisions are kept.
    pub ledger: String,
    /// Where the policy is.
    pub policy: String,
    /// Whether nothing is isolated, whatever the policy says.
    pub dry_run: bool,
    /// The bus that outcomes go to.
    pub event_bus: Option<String>,
    /// The address of the webhook, for links by which a person approves.
    pub approval_url: Option<String>,
    /// How long a run has for its call before another takes it up.
    pub lease: Duration,
    /// Where the secrets are that the policy names.
    pub secrets: WebhookSecretsLocation,
    /// The credential and the hosts.
    pub sophos: SophosConfig,
    /// The CloudWatch namespace.
    pub metrics_namespace: String,
}

impl Config {
    /// What the variables say. What is wrong with them is noted in `reader`.
    pub fn from_reader(reader: &mut ConfigReader<'_>) -> Self {
        let ledger =
            parse_location(reader, "ISOLATION_LEDGER", "set it to s3://bucket/prefix or to a folder");
        let policy = parse_location(reader, "ISOLATION_POLICY", "set it to a file or to s3://bucket/key");
        let approval_url = reader.text("ISOLATION_APPROVAL_URL");
        if approval_url
            .as_ref()
            .is_some_and(|url| !url.starts_with("https://") && !url.starts_with("http://"))
        {
            reader.invalid("ISOLATION_APPROVAL_URL", "is no address; it begins with https://");
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

fn parse_location(reader: &mut ConfigReader<'_>, name: &str, remedy: &str) -> String {
    let Some(location) = reader.text(name) else {
        reader.invalid(name, format!("is not set; {remedy}"));
        return String::new();
    };
    if location.contains("://") && !location.starts_with("s3://") && !location.starts_with("file://") {
        reader.invalid(name, format!("is at no place that can be read; {remedy}"));
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
            let mistakes = issues(&[(name, value)]);
            assert!(mistakes.len() == 1 && mistakes[0].starts_with(name), "{name}={value}: {mistakes:?}");
        }
    }
}
