use std::time::Duration;

use lambda_support::{Reader, SecretsPlace, Sophos, logging};

/// Seconds that a run has for its call, if not told.
const LEASE: u64 = 90;

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
    pub secrets: SecretsPlace,
    /// The credential and the hosts.
    pub sophos: Sophos,
    /// The CloudWatch namespace.
    pub metrics_namespace: String,
}

impl Config {
    /// What the variables say. What is wrong with them is noted in `reader`.
    pub fn configured(reader: &mut Reader<'_>) -> Self {
        let ledger = location(reader, "ISOLATION_LEDGER", "set it to s3://bucket/prefix or to a folder");
        let policy = location(reader, "ISOLATION_POLICY", "set it to a file or to s3://bucket/key");
        let approval_url = reader.text("ISOLATION_APPROVAL_URL");
        if approval_url
            .as_ref()
            .is_some_and(|url| !url.starts_with("https://") && !url.starts_with("http://"))
        {
            reader.wrong("ISOLATION_APPROVAL_URL", "is no address; it begins with https://");
        }
        logging::check(reader);
        Self {
            ledger,
            policy,
            dry_run: reader.value("ISOLATION_DRY_RUN").unwrap_or(false),
            event_bus: reader.text("ISOLATION_EVENT_BUS"),
            approval_url,
            lease: Duration::from_secs(reader.number("ISOLATION_LEASE_SECONDS", 1, 900).unwrap_or(LEASE)),
            secrets: SecretsPlace::configured(reader),
            sophos: Sophos::configured(reader),
            metrics_namespace: reader.text("METRICS_NAMESPACE").unwrap_or_else(|| "SophosCentral".into()),
        }
    }
}

fn location(reader: &mut Reader<'_>, name: &str, what_to_do: &str) -> String {
    let Some(location) = reader.text(name) else {
        reader.wrong(name, format!("is not set; {what_to_do}"));
        return String::new();
    };
    if location.contains("://") && !location.starts_with("s3://") && !location.starts_with("file://") {
        reader.wrong(name, format!("is at no place that can be read; {what_to_do}"));
    }
    location
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mistakes(changed: &[(&str, &str)]) -> Vec<String> {
        let least = [
            ("ISOLATION_LEDGER", "s3://bucket/isolation"),
            ("ISOLATION_POLICY", "policy.toml"),
            ("SOPHOS_CLIENT_ID", "id"),
            ("SOPHOS_CLIENT_SECRET", "hush-hush"),
        ];
        let mut reader = Reader::over(|name| {
            let mut all = changed.iter().chain(&least);
            all.find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        });
        let config = Config::configured(&mut reader);
        assert!(!format!("{config:?}").contains("hush"), "a configuration shows no secret");
        reader.finish(()).err().map(|error| error.mistakes().to_vec()).unwrap_or_default()
    }

    #[test]
    fn little_must_be_set_and_every_mistake_names_its_variable() {
        assert_eq!(mistakes(&[]), Vec::<String>::new());
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
            ("SECRETS_FILE", "/nowhere/secrets.toml"),
        ] {
            let mistakes = mistakes(&[(name, value)]);
            assert!(mistakes.len() == 1 && mistakes[0].starts_with(name), "{name}={value}: {mistakes:?}");
        }
    }
}
