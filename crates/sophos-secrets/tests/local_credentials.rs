//! Credentials from a file and from the environment.

#![cfg(unix)]

use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf};

use futures_util::FutureExt;
use sophos_api::{Credentials, Owner, models::IdType};
use sophos_secrets::{
    CredentialStore, EnvironmentCredential, FileCredentials, ListedCredential, RequestedVersion, SecretError,
};
use tempfile::TempDir;

/// The output of a future of a local store, which is ready at once.
fn ready<V>(future: impl Future<Output = V>) -> V {
    future.now_or_never().expect("a local store has nothing to wait for")
}

/// The only credential.
fn read(store: &impl CredentialStore) -> Result<Credentials, SecretError> {
    let ListedCredential { name, credential, .. } = ready(store.list())?.pop().expect("a credential");
    let read = ready(store.load(&name, RequestedVersion::Fresh));
    assert_eq!(read.is_ok(), credential.is_ok(), "the list and the reading agree");
    assert!(ready(store.load("another", RequestedVersion::Cached)).expect("no failure").is_none());
    assert!(ready(store.load(&name, RequestedVersion::Previous)).expect("no failure").is_none());
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
fn file_credentials_load_without_printing_the_secret() {
    let credentials = from_file(GOOD, 0o600).expect("a credential");
    assert_eq!(credentials.client_id(), "an-id");
    assert!(!format!("{credentials:?}").contains("hush"), "{credentials:?}");
}

#[test]
fn file_credentials_reject_a_file_others_may_read() {
    for mode in [0o644, 0o640, 0o604, 0o660] {
        let error = from_file(GOOD, mode).expect_err("too open");
        assert!(error.contains("chmod 600"), "{error}");
    }
}

#[test]
fn file_credentials_error_names_the_line_without_values() {
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
fn file_credentials_load_several_by_name() {
    let (_folder, path) = file(
        "[credentials.\"partner\"]\nclient_id = \"one\"\nclient_secret = \"hush-1\"\npartner_id = \"AB-12\"\n\
         [credentials.\"a/b\"]\nclient_id = \"two\"\nclient_secret = \"hush-2\"\nused_for = [\"export\"]\n\
         [credentials.bad]\nclient_id = \"\"\nclient_secret = \"hush-3\"\n\
         [credentials.worse]\nclient_id = \"x\"\nclient_secret = \"hush-4\"\ntenant_id = \"a\"\npartner_id = \"b\"\n",
        0o600,
    );
    let store = FileCredentials::new(&path);
    let listed = ready(store.list()).expect("a listing");
    let names: Vec<_> = listed.iter().map(|listed| listed.name.as_str()).collect();
    assert_eq!(names, ["a/b", "bad", "partner", "worse"], "in the order of their names");
    for (name, id) in [("partner", "one"), ("a/b", "two")] {
        for version in [RequestedVersion::Cached, RequestedVersion::Fresh] {
            let stored = ready(store.load(name, version)).expect("it can be read").expect("it is there");
            assert_eq!(stored.credentials.client_id(), id);
        }
        assert!(ready(store.load(name, RequestedVersion::Previous)).expect("no failure").is_none());
    }
    let partner =
        ready(store.load("partner", RequestedVersion::Cached)).expect("it can be read").expect("it is there");
    assert_eq!(partner.credentials.owner(), Some(&Owner::new(IdType::Partner, "ab-12")));
    for (name, expected) in [("bad", "its client_id is empty"), ("worse", "more than one of partner_id")] {
        let error = ready(store.load(name, RequestedVersion::Cached)).expect_err(expected).to_string();
        assert!(
            error.starts_with(&format!("{}: {name}: ", path.display())) && error.contains(expected),
            "{error}"
        );
        assert!(!error.contains("hush"), "{error}");
    }
    for name in ["file", "", "credentials", "PARTNER"] {
        assert!(ready(store.load(name, RequestedVersion::Fresh)).expect("no failure").is_none(), "{name}");
    }
}

#[test]
fn file_credentials_table_error_names_the_line() {
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
        let error = ready(FileCredentials::new(&path).list()).expect_err(text).to_string();
        assert!(error.contains(line) && error.contains("[credentials.partner]"), "{text}{error}");
        assert!(!error.contains("hush"), "{error}");
    }
    let (_folder, empty) = file("[credentials]\n", 0o600);
    assert!(ready(FileCredentials::new(empty).list()).expect("a listing").is_empty());
}

#[test]
fn file_credentials_reload_a_replaced_file() {
    let (_folder, path) = file(GOOD, 0o600);
    let store = FileCredentials::new(&path);
    let id = || {
        let stored =
            ready(store.load(FileCredentials::NAME, RequestedVersion::Cached)).expect("it can be read");
        stored.expect("it is there").credentials.client_id().to_owned()
    };
    assert_eq!(id(), "an-id");
    let (_other, next) = file(&GOOD.replace("an-id", "another"), 0o600);
    fs::rename(next, &path).expect("replaced");
    assert_eq!(id(), "another");
}

#[test]
fn missing_file_or_variable_is_named() {
    let error = read(&FileCredentials::new("/nowhere/credential.toml")).expect_err("no file");
    assert_eq!(error.location(), "/nowhere/credential.toml");
    let error = read(&EnvironmentCredential::new("NO_SUCH_CLIENT_ID", "PATH")).expect_err("no variable");
    assert_eq!(error.to_string(), "NO_SUCH_CLIENT_ID: is not set; set it");
}

#[test]
fn environment_credential_loads_variables() {
    let credentials = read(&EnvironmentCredential::new("CARGO_PKG_NAME", "PATH")).expect("both are set");
    assert_eq!(credentials.client_id(), "sophos-secrets");
}
