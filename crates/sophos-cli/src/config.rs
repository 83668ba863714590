//! The configuration: profiles, and where the secret of each is.

pub(crate) mod commands;
mod edit;
mod file;
mod fusion_test;
mod keyring;
mod secret_source;
mod test_command;

pub(crate) use file::{Profile, config_path, load, load_file};
pub(crate) use secret_source::{SecretLocation, StoredMetadata, credential_source};
