use std::path::Path;

use sophos_api::{BaseUrl, Credentials, Hosts, RateBudget};
use sophos_secrets::{CredentialSource, EnvironmentSource, FileSource, SourceError};

use crate::Reader;

/// How a function reaches Sophos Central.
///
/// | variable | what it is | if not set |
/// |---|---|---|
/// | `SOPHOS_CREDENTIALS_FILE` | a TOML file with `client_id` and `client_secret` | the next two |
/// | `SOPHOS_CLIENT_ID`, `SOPHOS_CLIENT_SECRET` | the credential itself, for development | |
/// | `SOPHOS_RATE_BUDGET` | `documented`, `unlimited`, or such as `10/s, 100/m+300, 1000/h` | `documented` |
/// | `SOPHOS_IDENTITY_URL`, `SOPHOS_GLOBAL_URL` | another place than Sophos Central, such as a simulator; both or none | Sophos Central |
/// | `SOPHOS_REGION_URLS` | hosts of data regions there, such as `eu01=http://127.0.0.1:7003` | none |
#[derive(Debug)]
pub struct Sophos {
    /// Where the credential comes from.
    pub credentials: Source,
    /// The hosts.
    pub hosts: Hosts,
    /// The calls that the credential may make.
    pub budget: RateBudget,
}

impl Sophos {
    /// What the variables say.
    pub fn configured(reader: &mut Reader<'_>) -> Self {
        Self {
            credentials: credentials(reader),
            hosts: hosts(reader),
            budget: reader.value("SOPHOS_RATE_BUDGET").unwrap_or_default(),
        }
    }
}

/// Where the credential comes from.
#[derive(Debug)]
#[non_exhaustive]
pub enum Source {
    /// Two variables.
    Environment(EnvironmentSource),
    /// A file.
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

fn credentials(reader: &mut Reader<'_>) -> Source {
    const ID: &str = "SOPHOS_CLIENT_ID";
    const SECRET: &str = "SOPHOS_CLIENT_SECRET";
    let variables = [ID, SECRET].map(|name| (name, reader.text(name).is_some()));
    if let Some(path) = reader.text("SOPHOS_CREDENTIALS_FILE") {
        if variables.iter().any(|(_, set)| *set) {
            reader.wrong(
                "SOPHOS_CREDENTIALS_FILE",
                format!("is set, and {ID} or {SECRET} as well; choose one"),
            );
        }
        if !Path::new(&path).is_file() {
            reader.wrong("SOPHOS_CREDENTIALS_FILE", format!("names {path}, which is no file"));
        }
        return Source::File(FileSource::new(path));
    }
    for (name, _) in variables.iter().filter(|(_, set)| !set) {
        reader.wrong(name, "is not set, and neither is SOPHOS_CREDENTIALS_FILE");
    }
    Source::Environment(EnvironmentSource::new(ID, SECRET))
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
        assert!(matches!(sophos.credentials, Source::Environment(_)));
        assert!(!format!("{sophos:?}").contains("hush"), "a configuration shows no secret");
        assert_eq!(with("SOPHOS_RATE_BUDGET", "unlimited").expect("all").budget, RateBudget::unlimited());
    }

    #[test]
    fn a_file_stands_for_both_variables() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
        let sophos = read(&[("SOPHOS_CREDENTIALS_FILE", file)]).expect("a file");
        assert!(matches!(sophos.credentials, Source::File(_)));
        let error = with("SOPHOS_CREDENTIALS_FILE", file).expect_err("both").to_string();
        assert!(error.contains("choose one"), "{error}");
    }

    #[test]
    fn every_mistake_names_its_variable() {
        for (name, value) in [
            ("SOPHOS_CLIENT_ID", " "),
            ("SOPHOS_CLIENT_SECRET", ""),
            ("SOPHOS_CREDENTIALS_FILE", "/nowhere/credential.toml"),
            ("SOPHOS_RATE_BUDGET", "lots"),
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
