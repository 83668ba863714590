//! Credentials from a file and from the environment.

#![cfg(unix)]

use std::{
    fs,
    future::Future,
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    pin::pin,
    task::{Context, Poll, Waker},
};

use sophos_api::{Credentials, Owner, models::IdType};
use sophos_secrets::{CredentialStore, EnvironmentCredential, FileCredentials, Listed, SourceError, Version};
use tempfile::TempDir;

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

fn file(text: &str, mode: u32) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("credential.toml");
    fs::write(&path, text).expect("a file");
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("its mode");
    (folder, path)
}

fn from_file(text: &str, mode: u32) -> Result<Credentials, String> {
    let (_folder, path) = file(text, mode);
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
fn several_credentials_are_read_by_name() {
    let (_folder, path) = file(
        "[credentials.\"partner\"]\nclient_id = \"one\"\nclient_secret = \"hush-1\"\npartner_id = \"AB-12\"\n\
         [credentials.\"a/b\"]\nclient_id = \"two\"\nclient_secret = \"hush-2\"\nused_for = [\"export\"]\n\
         [credentials.bad]\nclient_id = \"\"\nclient_secret = \"hush-3\"\n\
         [credentials.worse]\nclient_id = \"x\"\nclient_secret = \"hush-4\"\ntenant_id = \"a\"\npartner_id = \"b\"\n",
        0o600,
    );
    let store = FileCredentials::new(&path);
    let listed = now(store.list()).expect("a listing");
    let names: Vec<_> = listed.iter().map(|listed| listed.name.as_str()).collect();
    assert_eq!(names, ["a/b", "bad", "partner", "worse"], "in the order of their names");
    for (name, id) in [("partner", "one"), ("a/b", "two")] {
        for version in [Version::Cached, Version::Fresh] {
            let stored = now(store.read(name, version)).expect("it can be read").expect("it is there");
            assert_eq!(stored.credentials.client_id(), id);
        }
        assert!(now(store.read(name, Version::Previous)).expect("no failure").is_none());
    }
    let partner = now(store.read("partner", Version::Cached)).expect("it can be read").expect("it is there");
    assert_eq!(partner.credentials.owner(), Some(&Owner::new(IdType::Partner, "ab-12")));
    for (name, told) in [("bad", "its client_id is empty"), ("worse", "more than one of partner_id")] {
        let error = now(store.read(name, Version::Cached)).expect_err(told).to_string();
        assert!(
            error.starts_with(&format!("{}: {name}: ", path.display())) && error.contains(told),
            "{error}"
        );
        assert!(!error.contains("hush"), "{error}");
    }
    for name in ["file", "", "credentials", "PARTNER"] {
        assert!(now(store.read(name, Version::Fresh)).expect("no failure").is_none(), "{name}");
    }
}

#[test]
fn tables_that_are_wrong_are_told_by_line_without_a_secret() {
    for (text, line) in [
        ("[credentials.a]\nclient_id = \"x\"\nclient_secret = hush\n", "line 3"),
        ("[credentials.a]\nclient_id = \"x\"\nclient_secret = \"hush\"\nsecret = \"hush\"\n", "line 4"),
        ("[credentials.a]\nclient_id = \"x\"\n", "line 1"),
        ("[credentials]\na = \"hush\"\n", "line 2"),
        (
            "client_secret = \"hush\"\n[credentials.a]\nclient_id = \"x\"\nclient_secret = \"hush\"\n",
            "line 1",
        ),
        ("[credentials.a]\nclient_id = \"x\"\nclient_secret = \"hush\"\nexpires_at = \"hush\"\n", "line 4"),
    ] {
        let (_folder, path) = file(text, 0o600);
        let error = now(FileCredentials::new(&path).list()).expect_err(text).to_string();
        assert!(error.contains(line) && error.contains("[credentials.partner]"), "{text}{error}");
        assert!(!error.contains("hush"), "{error}");
    }
    let (_folder, empty) = file("[credentials]\n", 0o600);
    assert!(now(FileCredentials::new(empty).list()).expect("a listing").is_empty());
}

#[test]
fn a_file_that_is_replaced_is_read_anew() {
    let (_folder, path) = file(GOOD, 0o600);
    let store = FileCredentials::new(&path);
    let id = || {
        let stored = now(store.read(FileCredentials::NAME, Version::Cached)).expect("it can be read");
        stored.expect("it is there").credentials.client_id().to_owned()
    };
    assert_eq!(id(), "an-id");
    let (_other, next) = file(&GOOD.replace("an-id", "another"), 0o600);
    fs::rename(next, &path).expect("replaced");
    assert_eq!(id(), "another");
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
