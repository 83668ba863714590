//! Credentials from a file and from the environment.

#![cfg(unix)]

use std::{
    fs,
    future::Future,
    os::unix::fs::PermissionsExt,
    pin::pin,
    task::{Context, Poll, Waker},
};

use sophos_api::Credentials;
use sophos_secrets::{CredentialStore, EnvironmentCredential, FileCredentials, Listed, SourceError, Version};

/// Local stores wait for nothing.
fn now<V>(future: impl Future<Output = V>) -> V {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => unreachable!("a local store has nothing to wait for"),
    }
}

/// The only credential.
fn read(store: &impl CredentialStore) -> Result<Credentials, SourceError> {
    let Listed { name, credential, .. } = now(store.list())?.pop().expect("a credential");
    let read = now(store.read(&name, Version::Fresh));
    assert_eq!(read.is_ok(), credential.is_ok(), "the list and the reading agree");
    assert!(now(store.read("another", Version::Cached)).expect("no failure").is_none());
    assert!(now(store.read(&name, Version::Previous)).expect("no failure").is_none());
    credential.map(|stored| stored.credentials.clone())
}

fn from_file(text: &str, mode: u32) -> Result<Credentials, String> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("credential.toml");
    fs::write(&path, text).expect("a file");
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("its mode");
    read(&FileCredentials::new(path)).map_err(|error| error.to_string())
}

const GOOD: &str = "client_id = \"an-id\"\nclient_secret = \"hush-hush\"\n";

#[test]
fn a_private_file_is_read_and_its_secret_not_shown() {
    let credentials = from_file(GOOD, 0o600).expect("a credential");
    assert_eq!(credentials.client_id(), "an-id");
    assert!(!format!("{credentials:?}").contains("hush"), "{credentials:?}");
}

#[test]
fn a_file_that_others_may_read_is_refused() {
    for mode in [0o644, 0o640, 0o604, 0o660] {
        let error = from_file(GOOD, mode).expect_err("too open");
        assert!(error.contains("chmod 600"), "{error}");
    }
}

#[test]
fn a_wrong_file_is_told_by_line_without_its_secret() {
    for (text, line) in [
        ("client_id = \"an-id\"\nclient_secret = hush-hush\n", "line 2"),
        ("client_id = \"an-id\"\nclient_secret = \"hush-hush\"\nclient_sceret = \"hush-hush\"\n", "line 3"),
        ("client_id = \"an-id\"\n\nclient_secret = [\"hush-hush\"]\n", "line 3"),
        ("client_secret = \"hush-hush\"\n", "client_id and client_secret"),
        ("hush-hush", "line 1"),
    ] {
        let error = from_file(text, 0o600).expect_err("not of the form");
        assert!(error.contains(line), "{error}");
        assert!(!error.contains("hush"), "{error}");
    }
}

#[test]
fn a_missing_file_or_variable_is_named() {
    let error = read(&FileCredentials::new("/nowhere/credential.toml")).expect_err("no file");
    assert_eq!(error.place(), "/nowhere/credential.toml");
    let error = read(&EnvironmentCredential::new("NO_SUCH_CLIENT_ID", "PATH")).expect_err("no variable");
    assert_eq!(error.to_string(), "NO_SUCH_CLIENT_ID: is not set");
}

#[test]
fn variables_are_read() {
    let credentials = read(&EnvironmentCredential::new("CARGO_PKG_NAME", "PATH")).expect("both are set");
    assert_eq!(credentials.client_id(), "sophos-secrets");
}
