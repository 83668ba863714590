use std::path::Path;

use sophos_secrets::{EnvironmentSecrets, FileSecrets, NamedSecrets, SourceError, Stages};

use crate::Reader;

const FILE: &str = "SECRETS_FILE";
const PREFIX: &str = "SECRET_";

/// The secrets by which senders prove themselves.
///
/// | variable | what it is | if not set |
/// |---|---|---|
/// | `SECRETS_FILE` | a TOML file, as [`FileSecrets`] reads it | variables such as `SECRET_WEBHOOKS_PAGERDUTY`, see [`EnvironmentSecrets`] |
#[derive(Debug)]
pub struct Secrets(Place);

#[derive(Debug)]
enum Place {
    Environment(EnvironmentSecrets),
    File(FileSecrets),
}

impl Secrets {
    /// Where the variables say that they are.
    pub fn configured(reader: &mut Reader<'_>) -> Self {
        let Some(path) = reader.text(FILE) else {
            return Self(Place::Environment(EnvironmentSecrets::new(PREFIX)));
        };
        if !Path::new(&path).is_file() {
            reader.wrong(FILE, format!("names {path}, which is no file"));
        }
        Self(Place::File(FileSecrets::new(path)))
    }
}

impl NamedSecrets for Secrets {
    async fn read(&self, name: &str) -> Result<Stages, SourceError> {
        match &self.0 {
            Place::Environment(secrets) => secrets.read(name).await,
            Place::File(secrets) => secrets.read(name).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        pin::pin,
        task::{Context, Poll, Waker},
    };

    use super::*;

    fn place(file: Option<&str>) -> (String, Vec<String>) {
        let mut reader = Reader::over(|name| (name == FILE).then_some(file?.to_owned()));
        let secrets = Secrets::configured(&mut reader);
        let read = pin!(secrets.read("no/such")).poll(&mut Context::from_waker(Waker::noop()));
        let Poll::Ready(Err(error)) = read else { panic!("{read:?}") };
        let mistakes = reader.finish(()).err().map(|error| error.mistakes().to_vec());
        (error.place().to_owned(), mistakes.unwrap_or_default())
    }

    #[test]
    fn a_file_is_chosen_if_it_is_named() {
        assert_eq!(place(None), ("SECRET_NO_SUCH".to_owned(), vec![]));
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
        assert_eq!(place(Some(file)), (file.to_owned(), vec![]));
        let (place, mistakes) = place(Some("/nowhere"));
        assert_eq!(place, "/nowhere");
        assert_eq!(mistakes, ["SECRETS_FILE names /nowhere, which is no file"]);
    }
}
