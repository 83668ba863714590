use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;

use crate::SecretError;

/// Reads a TOML file that nobody but its owner may read. A file of another
/// form is told by line and by what is `expected`.
pub(crate) fn load_toml<F: DeserializeOwned>(path: &Path, expected: &str) -> Result<F, SecretError> {
    parse_toml(&read_text(path)?, &path.display().to_string(), expected)
}

/// The text of such a file.
pub(crate) fn read_text(path: &Path) -> Result<SecretString, SecretError> {
    let place = path.display().to_string();
    let failed = |error: io::Error| SecretError::new(&place, error.to_string());
    let mut file = File::open(path).map_err(failed)?;
    check_permissions(&file, &place)?;
    let mut text = String::new();
    let read = file.read_to_string(&mut text);
    // From here on what was read is cleared when it goes.
    let text = SecretString::from(text);
    read.map_err(failed)?;
    Ok(text)
}

/// Reads TOML that came from `location`.
pub(crate) fn parse_toml<F: DeserializeOwned>(
    text: &SecretString,
    location: &str,
    expected: &str,
) -> Result<F, SecretError> {
    let text = text.expose_secret();
    toml::from_str(text).map_err(|error| {
        // The parser quotes the line, and the line may be the secret.
        let line = error.span().map(|span| 1 + text[..span.start].matches('\n').count());
        let at = line.map(|line| format!(" at line {line}")).unwrap_or_default();
        SecretError::new(location, format!("is not as expected{at}; {expected}"))
    })
}

#[cfg(unix)]
fn check_permissions(file: &File, place: &str) -> Result<(), SecretError> {
    use std::os::unix::fs::PermissionsExt;

    let mode =
        file.metadata().map_err(|error| SecretError::new(place, error.to_string()))?.permissions().mode();
    if mode & 0o077 != 0 {
        let problem = format!("may be read by others (mode {:o}); run chmod 600 on it", mode & 0o777);
        return Err(SecretError::new(place, problem));
    }
    Ok(())
}

#[cfg(not(unix))]
fn check_permissions(_: &File, _: &str) -> Result<(), SecretError> {
    Ok(())
}
