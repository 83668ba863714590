use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;

use crate::SourceError;

/// Reads a TOML file that nobody but its owner may read. A file of another
/// form is told by line and by what is `wanted`.
pub(crate) fn read<F: DeserializeOwned>(path: &Path, wanted: &str) -> Result<F, SourceError> {
    parse(&text(path)?, &path.display().to_string(), wanted)
}

/// The text of such a file.
pub(crate) fn text(path: &Path) -> Result<SecretString, SourceError> {
    let place = path.display().to_string();
    let failed = |error: io::Error| SourceError::new(&place, error.to_string());
    let mut file = File::open(path).map_err(failed)?;
    private(&file, &place)?;
    let mut text = String::new();
    let read = file.read_to_string(&mut text);
    // From here on what was read is cleared when it goes.
    let text = SecretString::from(text);
    read.map_err(failed)?;
    Ok(text)
}

/// Reads TOML that came from `place`.
pub(crate) fn parse<F: DeserializeOwned>(
    text: &SecretString,
    place: &str,
    wanted: &str,
) -> Result<F, SourceError> {
    let text = text.expose_secret();
    toml::from_str(text).map_err(|error| {
        // The parser quotes the line, and the line may be the secret.
        let line = error.span().map(|span| 1 + text[..span.start].matches('\n').count());
        let at = line.map(|line| format!(" at line {line}")).unwrap_or_default();
        SourceError::new(place, format!("is not as expected{at}; {wanted}"))
    })
}

#[cfg(unix)]
fn private(file: &File, place: &str) -> Result<(), SourceError> {
    use std::os::unix::fs::PermissionsExt;

    let mode =
        file.metadata().map_err(|error| SourceError::new(place, error.to_string()))?.permissions().mode();
    if mode & 0o077 != 0 {
        let problem = format!("may be read by others (mode {:o}); run chmod 600 on it", mode & 0o777);
        return Err(SourceError::new(place, problem));
    }
    Ok(())
}

#[cfg(not(unix))]
fn private(_: &File, _: &str) -> Result<(), SourceError> {
    Ok(())
}
