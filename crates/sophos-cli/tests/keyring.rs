//! The keyring of the system: the Secret Service of Linux, in a session of its own.

#![allow(clippy::unwrap_used, reason = "a test may panic")]
#![cfg(target_os = "linux")]

mod support;

use std::{
    io::Write,
    process::{Command, Stdio},
};

use support::{Fixture, stderr, stdout};

/// Starts a keyring, stores the secret from standard input, and reads it in two commands.
const SESSION: &str = r#"
set -e
printf 'password' | gnome-keyring-daemon --unlock --components=secrets >/dev/null
"$SOPHOS" config init --client-id "$ID"
"$SOPHOS" config show -o json
"$SOPHOS" tenants list -o csv --columns name
printf '[auth]\nclient_id = "unknown"\nsecret = "keyring"\n' > unknown.toml
chmod 600 unknown.toml
if "$SOPHOS" --config unknown.toml tenants list; then exit 1; fi
"#;

#[test]
#[ignore = "needs a keyring: dbus-run-session and gnome-keyring-daemon; `cargo xtask test` runs it where they are"]
fn secret_is_stored_in_the_keyring_and_read() {
    let fixture = Fixture::start(1);
    let mut environment = fixture.environment("partner");
    let id = environment.remove("SOPHOS_CLIENT_ID").unwrap();
    let secret = environment.remove("SOPHOS_CLIENT_SECRET").unwrap();
    let mut session = Command::new("dbus-run-session")
        .args(["--", "sh", "-c", SESSION])
        .current_dir(fixture.home.path())
        .env_clear()
        .envs(environment)
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("XDG_DATA_HOME", fixture.home.path().join("data"))
        .env("XDG_RUNTIME_DIR", fixture.home.path())
        .env("SOPHOS", env!("CARGO_BIN_EXE_sophos"))
        .env("ID", id)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    session.stdin.take().unwrap().write_all(secret.as_bytes()).unwrap();
    let output = session.wait_with_output().unwrap();
    let (text, errors) = (stdout(&output), stderr(&output));
    assert!(output.status.success(), "{text}\n{errors}");
    assert!(text.contains("\"secret\": \"keyring\""), "{text}");
    assert!(text.ends_with("name\nAcme\nGlobex\n"), "{text}\n{errors}");
    assert!(errors.contains("the keyring has no secret for the client id unknown"), "{errors}");
    assert!(!text.contains(&secret) && !errors.contains(&secret));
}
