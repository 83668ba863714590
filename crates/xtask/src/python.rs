//! The Python interpreters of this machine.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{error::Error, shell};

/// The number of minor versions after the minimum that are tried by name.
const LATER_VERSIONS: u32 = 6;

/// A version such as 3.12.
pub(crate) type PythonVersion = (u32, u32);

/// Finds a Python of this version or a later one: `python3`, `python3.12` and so on, or one that
/// pyenv has installed.
pub(crate) fn find(minimum: PythonVersion) -> Result<PathBuf, Error> {
    let (major, minor) = minimum;
    let named = (minor..=minor + LATER_VERSIONS).map(|minor| PathBuf::from(format!("python{major}.{minor}")));
    let found = [PathBuf::from("python3")]
        .into_iter()
        .chain(named)
        .chain(of_pyenv())
        .find(|python| version(python).is_some_and(|version| version >= minimum));
    found.ok_or_else(|| {
        Error::new(format!("no Python {major}.{minor} or later found; install it with its venv module"))
    })
}

/// The interpreters of pyenv, whose shims run one version only.
fn of_pyenv() -> Vec<PathBuf> {
    let root = env::var_os("PYENV_ROOT").map(PathBuf::from);
    let root = root.or_else(|| Some(Path::new(&env::var_os("HOME")?).join(".pyenv")));
    let versions = root.and_then(|root| fs::read_dir(root.join("versions")).ok());
    let mut found: Vec<_> =
        versions.into_iter().flatten().flatten().map(|entry| entry.path().join("bin/python3")).collect();
    found.sort();
    found
}

fn version(python: &Path) -> Option<PythonVersion> {
    let mut command = Command::new(python);
    command.args(["-c", "import sys, venv; print(*sys.version_info[:2])"]);
    parse_version(&shell::stdout(&mut command, "").ok()?)
}

fn parse_version(text: &str) -> Option<PythonVersion> {
    let (major, minor) = text.trim().split_once(' ')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        assert_eq!(parse_version("3 12\n"), Some((3, 12)));
        assert!(parse_version("3 9") < Some((3, 12)));
        assert_eq!(parse_version(""), None);
    }

    #[test]
    fn find_names_the_version_that_is_missing() {
        let error = find((3, 900)).expect_err("no such version").to_string();
        assert!(error.contains("Python 3.900"), "{error}");
    }
}
