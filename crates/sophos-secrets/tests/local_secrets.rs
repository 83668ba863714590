//! Secrets by name, from a file and from the environment.

#![cfg(unix)]

use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf};

use futures_util::FutureExt;
use sophos_secrets::{
    EnvironmentSecrets, ExposeSecret, FileSecrets, RotatingSecret, SecretError, SecretStore,
};
use tempfile::TempDir;

/// The secret of a local store, which is ready at once.
fn read(secrets: &impl SecretStore, name: &str) -> Result<RotatingSecret, SecretError> {
    secrets.load(name).now_or_never().expect("a local secret has nothing to wait for")
}

fn file(text: &str, mode: u32) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("secrets.toml");
    fs::write(&path, text).expect("a file");
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("its mode");
    (folder, path)
}

fn texts(stages: &RotatingSecret) -> Vec<&str> {
    stages.iter().map(ExposeSecret::expose_secret).collect()
}

const GOOD: &str = "[secrets.\"webhooks/pagerduty\"]\ncurrent = \"hush-2\"\nprevious = \"hush-1\"\n\n\
                    [secrets.splunk]\ncurrent = \"hush-3\"\n";

#[test]
fn file_secrets_load_current_and_previous() {
    let (_folder, path) = file(GOOD, 0o600);
    let secrets = FileSecrets::new(path);
    let stages = read(&secrets, "webhooks/pagerduty").expect("a secret");
    assert_eq!(texts(&stages), ["hush-2", "hush-1"]);
    assert!(!format!("{stages:?}").contains("hush"), "{stages:?}");
    assert_eq!(texts(&read(&secrets, "splunk").expect("a secret")), ["hush-3"]);
}

#[test]
fn file_secrets_reload_a_replaced_file() {
    let (_folder, path) = file(GOOD, 0o400);
    let secrets = FileSecrets::new(&path);
    assert_eq!(texts(&read(&secrets, "splunk").expect("a secret")), ["hush-3"]);
    let (_other, next) = file("[secrets.splunk]\ncurrent = \"hush-4\"\nprevious = \"hush-3\"\n", 0o600);
    fs::rename(next, &path).expect("replaced");
    assert_eq!(texts(&read(&secrets, "splunk").expect("a secret")), ["hush-4", "hush-3"]);
}

#[test]
fn file_secrets_reject_a_file_others_may_read() {
    for mode in [0o644, 0o640, 0o604, 0o660] {
        let (_folder, path) = file(GOOD, mode);
        let error = read(&FileSecrets::new(path), "splunk").expect_err("too open").to_string();
        assert!(error.contains("chmod 600"), "{error}");
    }
}

#[test]
fn file_secrets_error_names_the_line_without_values() {
    for (text, line) in [
        ("[secrets.a]\ncurrent = hush\n", "line 2"),
        ("[secrets.a]\ncurrent = \"hush\"\ncurent = \"hush\"\n", "line 3"),
        ("[secrets.a]\ncurrent = [\"hush\"]\n", "line 2"),
        ("[secrets.a]\ncurrent = \"hush\"\n[secrets.b]\ncurrent = \" \"\n", "line 4"),
        ("[secrets.a]\ncurrent = \"hush\"\nprevious = \"\"\n", "line 3"),
        ("[secrets.a]\ncurrent = \"hush\"\n\n[secrets.a]\ncurrent = \"hush\"\n", "line 4"),
        ("[secrets.a]\nprevious = \"hush\"\n", "line 1"),
        ("[secrets]\na = \"hush\"\n", "line 2"),
        ("a = \"hush\"\n", "line 1"),
    ] {
        let (_folder, path) = file(text, 0o600);
        let error = read(&FileSecrets::new(path), "a").expect_err(text).to_string();
        assert!(error.contains(line) && error.contains("[secrets.\"webhooks/pagerduty\"]"), "{text}{error}");
        assert!(!error.contains("hush"), "{error}");
    }
}

#[test]
fn missing_secret_is_named() {
    let (_folder, path) = file(GOOD, 0o600);
    let error = read(&FileSecrets::new(&path), "webhooks/\nx").expect_err("no secret");
    assert_eq!(error.location(), path.to_str().expect("a path"));
    assert!(error.to_string().contains(r#"missing secret "webhooks/\nx"; add"#), "{error}");
    let (_folder, empty) = file("", 0o600);
    assert!(read(&FileSecrets::new(empty), "a").is_err());
    let error = read(&FileSecrets::new("/nowhere/secrets.toml"), "a").expect_err("no file");
    assert_eq!(error.location(), "/nowhere/secrets.toml");
    let error = read(&EnvironmentSecrets::new("NO_SUCH_"), "a/b").expect_err("no variable");
    assert_eq!(error.to_string(), "NO_SUCH_A_B: is not set; set it");
}

#[test]
fn environment_secrets_load_variables() {
    let stages = read(&EnvironmentSecrets::new("CARGO_"), "pkg/name").expect("it is set");
    assert_eq!(texts(&stages), ["sophos-secrets"]);
}
