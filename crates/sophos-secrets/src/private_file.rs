use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;

use crate::SecretError;

/// Loads a TOML file that only its owner may read. The error of an invalid file has the
/// line and `expected`.
pub(crate) fn load_toml<F: DeserializeOwned>(path: &Path, expected: &str) -> Result<F, SecretError> {
    parse_toml(&read_text(path)?, &path.display().to_string(), expected)
}

/// Reads the text of a file that only its owner may read.
pub(crate) fn read_text(path: &Path) -> Result<SecretString, SecretError> {
    let location = path.display().to_string();
    let failed = |error: io::Error| SecretError::new(&location, error.to_string());
    let mut file = File::open(path).map_err(failed)?;
    check_permissions(&file, &location)?;
    let mut text = String::new();
    let read = file.read_to_string(&mut text);
    // From here on the text is cleared when it is dropped.
    let text = SecretString::from(text);
    read.map_err(failed)?;
    Ok(text)
}

/// Parses TOML. `location` is for the error.
pub(crate) fn parse_toml<F: DeserializeOwned>(
    text: &SecretString,
    location: &str,
    expected: &str,
) -> Result<F, SecretError> {
    let text = text.expose_secret();
    toml::from_str(text).map_err(|error| {
        // The parser's message quotes the line, which may contain a secret.
        let line = error.span().map(|span| 1 + text[..span.start].matches('\n').count());
        let at = line.map(|line| format!(" at line {line}")).unwrap_or_default();
        SecretError::new(location, format!("invalid TOML{at}: expected {expected}"))
    })
}

#[cfg(unix)]
fn check_permissions(file: &File, location: &str) -> Result<(), SecretError> {
    use std::os::unix::fs::PermissionsExt;

    let mode =
        file.metadata().map_err(|error| SecretError::new(location, error.to_string()))?.permissions().mode();
    if mode & 0o077 != 0 {
        let problem = format!("others may read the file (mode {:o}); run chmod 600 on it", mode & 0o777);
        return Err(SecretError::new(location, problem));
    }
    Ok(())
}

#[cfg(not(unix))]
fn check_permissions(_: &File, _: &str) -> Result<(), SecretError> {
    Ok(())
}
