use lambda_support::{ConfigReader, SophosConfig, logging};
use sophos_secrets::Purpose;

use crate::audit::AuditSettings;

/// Days without being read after which a credential is unused, if not told.
const DEFAULT_UNUSED_DAYS: u64 = 30;

/// What the function is told by its environment.
#[derive(Debug)]
#[non_exhaustive]
pub struct Config {
    /// The credentials that are watched over, and the hosts.
    pub sophos: SophosConfig,
    /// What the watch holds credentials against.
    pub audit: AuditSettings,
    /// The CloudWatch namespace.
    pub metrics_namespace: String,
}

impl Config {
    /// What the variables say. What is wrong with them is noted in `reader`.
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
    let read: Result<Vec<Purpose>, _> = text.split(',').map(|word| word.trim().parse()).collect();
    read.unwrap_or_else(|error| {
        reader.invalid(NAME, format!("cannot be read: {error}; write such as export,isolation"));
        Vec::new()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(changed: &[(&str, &str)]) -> (Config, Vec<String>) {
        let least = [("SOPHOS_SECRETS_PREFIX", "sophos/credentials/")];
        let mut reader = ConfigReader::from_fn(|name| {
            let mut all = changed.iter().chain(&least);
            all.find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        });
        let config = Config::from_reader(&mut reader);
        (config, reader.finish(()).err().map(|error| error.issues().to_vec()).unwrap_or_default())
    }

    #[test]
    fn config_error_names_each_invalid_variable() {
        let (config, mistakes) = parse(&[]);
        assert_eq!(mistakes, Vec::<String>::new());
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
            let (_, mistakes) = parse(&[(name, value)]);
            assert!(mistakes.len() == 1 && mistakes[0].starts_with(name), "{name}={value}: {mistakes:?}");
        }
        let (_, all) =
            parse(&[("AUDIT_DEFAULT_PURPOSES", "x"), ("AUDIT_UNUSED_DAYS", "x"), ("LOG_LEVEL", "x")]);
        assert_eq!(all.len(), 3, "{all:?}");
    }
}
