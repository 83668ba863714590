//! Errors of the start of a simulator.

use std::path::{Path, PathBuf};

/// An invalid configuration.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct ConfigError(#[from] ConfigProblem);

#[derive(Debug, thiserror::Error)]
enum ConfigProblem {
    #[error("reading {} failed: {source}", path.display())]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error("invalid configuration: {0}")]
    Syntax(Box<toml::de::Error>),
    #[error("invalid configuration: {0}")]
    Invalid(String),
}

impl ConfigError {
    pub(crate) fn unreadable(path: &Path, source: std::io::Error) -> Self {
        Self(ConfigProblem::Unreadable { path: path.to_owned(), source })
    }

    pub(crate) fn syntax(error: toml::de::Error) -> Self {
        Self(ConfigProblem::Syntax(Box::new(error)))
    }

    pub(crate) fn invalid(what: String) -> Self {
        Self(ConfigProblem::Invalid(what))
    }
}

/// The error of a simulator that did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The configuration is invalid.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A port could not be bound.
    #[error("listening on {address} for the {host} host failed: {source}")]
    Listen {
        /// The host for the port.
        host: String,
        /// The address and port.
        address: String,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// The certificate could not be created or written.
    #[error("setting up TLS failed: {0}")]
    Tls(String),
}
