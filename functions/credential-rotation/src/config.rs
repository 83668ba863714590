use lambda_support::{Reader, Sophos, logging};
use sophos_secrets::Purpose;

use crate::watch::Limits;

/// Days without being read after which a credential is unused, if not told.
const UNUSED_DAYS: u64 = 30;

/// What the function is told by its environment.
#[derive(Debug)]
#[non_exhaustive]
pub struct Config {
    /// The credentials that are watched over, and the hosts.
    pub sophos: Sophos,
    /// What the watch holds credentials against.
    pub limits: Limits,
    /// The CloudWatch namespace.
    pub metrics_namespace: String,
}

impl Config {
    /// What the variables say. What is wrong with them is noted in `reader`.
    pub fn configured(reader: &mut Reader<'_>) -> Self {
        logging::check(reader);
        let unused_days = reader.number("WATCH_UNUSED_DAYS", 1, 1_100).unwrap_or(UNUSED_DAYS);
        Self {
            sophos: Sophos::configured(reader),
            limits: Limits { unused_days: unused_days.cast_signed(), purposes: purposes(reader) },
            metrics_namespace: reader.text("METRICS_NAMESPACE").unwrap_or_else(|| "SophosCentral".into()),
        }
    }
}

fn purposes(reader: &mut Reader<'_>) -> Vec<Purpose> {
    const NAME: &str = "WATCH_PURPOSES";
    let Some(text) = reader.text(NAME) else { return vec![Purpose::Export] };
    let read: Result<Vec<Purpose>, _> = text.split(',').map(|word| word.trim().parse()).collect();
    read.unwrap_or_else(|error| {
        reader.wrong(NAME, format!("cannot be read: {error}; write such as export,isolation"));
        Vec::new()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(changed: &[(&str, &str)]) -> (Config, Vec<String>) {
        let least = [("SOPHOS_SECRETS_PREFIX", "sophos/credentials/")];
        let mut reader = Reader::over(|name| {
            let mut all = changed.iter().chain(&least);
            all.find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        });
        let config = Config::configured(&mut reader);
        (config, reader.finish(()).err().map(|error| error.mistakes().to_vec()).unwrap_or_default())
    }

    #[test]
    fn little_must_be_set_and_every_mistake_names_its_variable() {
        let (config, mistakes) = read(&[]);
        assert_eq!(mistakes, Vec::<String>::new());
        assert_eq!((config.limits.unused_days, &config.limits.purposes[..]), (30, &[Purpose::Export][..]));
        let (config, _) = read(&[("WATCH_PURPOSES", "isolation, export"), ("WATCH_UNUSED_DAYS", "7")]);
        assert_eq!(config.limits.purposes, [Purpose::Isolation, Purpose::Export]);
        assert_eq!(config.limits.unused_days, 7);
        for (name, value) in [
            ("WATCH_PURPOSES", "everything"),
            ("WATCH_PURPOSES", "export;isolation"),
            ("WATCH_UNUSED_DAYS", "0"),
            ("LOG_LEVEL", "loud"),
            ("SOPHOS_SECRETS_TTL_SECONDS", "1"),
        ] {
            let (_, mistakes) = read(&[(name, value)]);
            assert!(mistakes.len() == 1 && mistakes[0].starts_with(name), "{name}={value}: {mistakes:?}");
        }
        let (_, all) = read(&[("WATCH_PURPOSES", "x"), ("WATCH_UNUSED_DAYS", "x"), ("LOG_LEVEL", "x")]);
        assert_eq!(all.len(), 3, "{all:?}");
    }
}
