use lambda_support::{ConfigReader, SophosConfig, logging};
use sophos_secrets::Purpose;

use crate::audit::AuditSettings;

/// The default of `AUDIT_UNUSED_DAYS`.
const DEFAULT_UNUSED_DAYS: u64 = 30;

/// The configuration of the function.
#[derive(Debug)]
#[non_exhaustive]
pub struct Config {
    /// The credentials for the audit, and the hosts.
    pub sophos: SophosConfig,
    /// The settings of the audit.
    pub audit: AuditSettings,
    /// The CloudWatch namespace.
    pub metrics_namespace: String,
}

impl Config {
    /// Reads the variables. Issues go to `reader`.
    pub fn from_reader(reader: &mut ConfigReader<'_>) -> Self {
        logging::validate_level(reader);
        let unused_days = reader.number("AUDIT_UNUSED_DAYS", 1, 1_100).unwrap_or(DEFAULT_UNUSED_DAYS);
        Self {
            sophos: SophosConfig::from_reader(reader),
            audit: AuditSettings {
                unused_days: unused_days.cast_signed(),
                default_purposes: parse_purposes(reader),
            },
            metrics_namespace: reader.text("METRICS_NAMESPACE").unwrap_or_else(|| "SophosCentral".into()),
        }
    }
}

fn parse_purposes(reader: &mut ConfigReader<'_>) -> Vec<Purpose> {
    const NAME: &str = "AUDIT_DEFAULT_PURPOSES";
    let Some(text) = reader.text(NAME) else { return vec![Purpose::Export] };
    let purposes: Result<Vec<Purpose>, _> = text.split(',').map(|word| word.trim().parse()).collect();
    purposes.unwrap_or_else(|error| {
        reader.invalid(NAME, format!("is invalid: {error}, such as export,isolation"));
        Vec::new()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(changed: &[(&str, &str)]) -> (Config, Vec<String>) {
        let required = [("SOPHOS_SECRETS_PREFIX", "sophos/credentials/")];
        let mut reader = ConfigReader::from_fn(|name| {
            let mut all = changed.iter().chain(&required);
            all.find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        });
        let config = Config::from_reader(&mut reader);
        (config, reader.finish(()).err().map(|error| error.issues().to_vec()).unwrap_or_default())
    }

    #[test]
    fn config_error_names_each_invalid_variable() {
        let (config, issues) = parse(&[]);
        assert_eq!(issues, Vec::<String>::new());
        assert_eq!(
            (config.audit.unused_days, &config.audit.default_purposes[..]),
            (30, &[Purpose::Export][..])
        );
        let (config, _) =
            parse(&[("AUDIT_DEFAULT_PURPOSES", "isolation, export"), ("AUDIT_UNUSED_DAYS", "7")]);
        assert_eq!(config.audit.default_purposes, [Purpose::Isolation, Purpose::Export]);
        assert_eq!(config.audit.unused_days, 7);
        for (name, value) in [
            ("AUDIT_DEFAULT_PURPOSES", "everything"),
            ("AUDIT_DEFAULT_PURPOSES", "export;isolation"),
            ("AUDIT_UNUSED_DAYS", "0"),
            ("LOG_LEVEL", "loud"),
            ("SOPHOS_SECRETS_TTL_SECONDS", "1"),
        ] {
            let (_, issues) = parse(&[(name, value)]);
            assert!(issues.len() == 1 && issues[0].starts_with(name), "{name}={value}: {issues:?}");
        }
        let (_, all) =
            parse(&[("AUDIT_DEFAULT_PURPOSES", "x"), ("AUDIT_UNUSED_DAYS", "x"), ("LOG_LEVEL", "x")]);
        assert_eq!(all.len(), 3, "{all:?}");
    }
}
