//! Tests that the function's output contains neither the secret nor a token.

use std::{fs, time::Duration};

use end_to_end::TestEnv;
use serde_json::json;
use sophos_simulator::{
    ClockConfig, Config, CredentialConfig, CredentialKind, FaultAction, FaultPlan, FaultRule, Owner, Role,
    TenantGroup,
};

const SECRET: &str = "a secret+with/odd=characters&0123456789abcdef";

fn config() -> Config {
    let credential = CredentialConfig {
        client_id: Some("c0ffee00-1111-4222-8333-444444444444".into()),
        client_secret: Some(SECRET.into()),
        ..CredentialConfig::new(CredentialKind::Partner, Role::ReadOnly)
    };
    Config {
        clock: ClockConfig { start: Some("2026-11-23T10:00:00Z".into()), running: false },
        tenants: vec![TenantGroup::new(Owner::Partner, 2)],
        credentials: vec![credential],
        ..Config::default()
    }
}

/// Finds the secret in any of its encodings, or a token of the simulator by its prefix.
fn find_leak(text: &str) -> Option<&str> {
    let forms =
        [SECRET, "a%20secret", "a secret", "0123456789abcdef", "eyJhbGci", "Bearer ", "client_secret="];
    forms.into_iter().find(|form| text.contains(form))
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_responses_and_objects_contain_no_secrets() {
    let env = TestEnv::start(config(), CredentialKind::Partner).await.expect("a simulator");
    let folder = tempfile::tempdir().expect("a folder");
    let function = env.export_function(&folder.path().to_string_lossy()).env("LOG_LEVEL", "trace");
    let mut sandbox = function.start().await.expect("the function starts");
    let mut output = Vec::new();
    let misfortunes = [
        vec![],
        vec![FaultRule::new("*", FaultAction::Malformed).probability(0.5)],
        vec![
            FaultRule::new("*", FaultAction::Disconnect).probability(0.3),
            FaultRule::new("*", FaultAction::RevokeTokens).every(3),
        ],
        vec![FaultRule::new("token", FaultAction::Malformed), FaultRule::new("*", FaultAction::RevokeTokens)],
        vec![
            FaultRule::new("token", FaultAction::status(400)),
            FaultRule::new("*", FaultAction::RevokeTokens),
        ],
    ];
    for rules in misfortunes {
        env.simulator.clock().advance(Duration::from_secs(4_000));
        env.simulator.set_faults(FaultPlan::new(rules));
        let event = TestEnv::schedule_event();
        output.push(format!("{:?}", sandbox.invoke_with_deadline(&event, Duration::from_secs(12)).await));
    }
    env.simulator.set_faults(FaultPlan::default());
    assert!(env.simulator.expire_credential(&env.credential().client_id));
    env.simulator.revoke_tokens();
    let refused = sandbox.invoke(&TestEnv::schedule_event()).await;
    assert_eq!(refused.error_kind(), Some("ExportFailed"), "{refused:?}");
    output.push(format!("{refused:?}"));
    output.push(format!("{:?}", sandbox.invoke(&json!(["no", "event"])).await));

    let logs = sandbox.stop().await.logs;
    assert!(logs.iter().any(|line| line.contains("the credential was rejected")), "the reason is logged");
    for line in logs.iter().filter(|line| line.contains("export_completed") || line.contains("_aws")) {
        assert!(line.contains("request_id"), "a record tells its request: {line}");
    }
    for text in output.iter().chain(&logs) {
        assert_eq!(find_leak(text), None, "{text}");
    }
    for file in files(folder.path()) {
        assert_eq!(find_leak(&String::from_utf8_lossy(&fs::read(&file).expect("a file"))), None, "{file:?}");
    }
}

#[tokio::test]
async fn config_error_names_the_variable_and_hides_its_value() {
    let env = TestEnv::start(config(), CredentialKind::Partner).await.expect("a simulator");
    let function = env.export_function("ftp://nowhere").env("EXPORT_CONCURRENCY", "none");
    let error = function.start().await.expect_err("it cannot start").to_string();
    for name in ["EXPORT_LOCATION", "EXPORT_CONCURRENCY"] {
        assert!(error.contains(name), "{error}");
    }
    assert_eq!(find_leak(&error), None, "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn replaced_credential_file_is_reloaded() {
    use std::os::unix::fs::PermissionsExt;

    let env = TestEnv::start(config(), CredentialKind::Partner).await.expect("a simulator");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("credential.toml");
    let write = |secret: &str| {
        let text = format!("client_id = {:?}\nclient_secret = {secret:?}\n", env.credential().client_id);
        fs::write(&file, text).expect("a file");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("its mode");
    };
    write(SECRET);
    let export = tempfile::tempdir().expect("a folder");
    let function = env
        .export_function(&export.path().to_string_lossy())
        .env_remove("SOPHOS_CLIENT_ID")
        .env_remove("SOPHOS_CLIENT_SECRET")
        .env("SOPHOS_CREDENTIALS_FILE", &file);
    let mut sandbox = function.start().await.expect("the function starts");
    env.run_export(&mut sandbox).await.expect("a report");

    let next = env.simulator.rotate_secret(&env.credential().client_id).expect("a new secret");
    env.simulator.revoke_tokens();
    let refused = sandbox.invoke(&TestEnv::schedule_event()).await;
    assert_eq!(refused.error_kind(), Some("ExportFailed"), "{refused:?}");
    write(&next);
    let report = env.run_export(&mut sandbox).await.expect("the same process uses the new secret");
    assert_eq!(report["failed"], 0, "{report}");
}

fn files(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}
