//! Golden tests of the commands that work on files: `tests/cmd/pack`.
//!
//! Each runs in a new folder. It is the current one of this process, so there is one test.

mod pack_support;

use std::{env, fs, path::Path};

use pack_support::{TestEnv, fixture, local_webhook, stored_credentials};
use sophos_simulator::{
    ClockConfig, Config, CredentialConfig, CredentialKind, DataConfig, Owner, Role, TenantGroup,
};

/// The time of the simulator stands still, so its data is the same in each run.
async fn partner_with_feed() -> TestEnv {
    TestEnv::start(Config {
        clock: ClockConfig { start: Some("2026-11-23T10:00:00Z".to_owned()), running: false },
        tenants: vec![TenantGroup::new(Owner::Partner, 1)],
        credentials: vec![CredentialConfig::new(CredentialKind::Partner, Role::ReadOnly)],
        data: DataConfig { events_per_hour: 30.0, alerts_per_hour: 2.0, ..DataConfig::default() },
        ..Config::default()
    })
    .await
}

/// Runs a golden file in the folder of the environment.
fn golden(env: &TestEnv, file: &str) {
    env::set_current_dir(env.path("")).expect("the folder");
    let cases = trycmd::TestCases::new();
    cases.register_bin("sophos", Path::new(env!("CARGO_BIN_EXE_sophos")));
    for (name, value) in env.variables() {
        cases.env(name, value);
    }
    cases.case(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cmd/pack").join(file));
    cases.run();
}

#[tokio::test(flavor = "multi_thread")]
async fn pack_commands_print_as_recorded() {
    let env = partner_with_feed().await;
    stored_credentials::write(&env);
    stored_credentials::write_with_expired(&env);
    golden(&env, "export.trycmd");
    golden(&env, "credentials.trycmd");
    golden(&env, "man.trycmd");

    let env = TestEnv::with_machines().await;
    fs::copy(fixture("crowdstrike.json"), env.path("alert.json")).expect("a payload");
    let server = local_webhook::Server::start(&env).await;
    for case in ["case-7", "case-8"] {
        let alert = serde_json::json!({
            "event_id": case, "severity": "high", "title": "phishing kit", "target": { "hostname": "BOSS-PC" }
        });
        server.decide(&env, &alert.to_string(), &["pending_approval"]).await;
    }
    server.stop(&env).await.0.expect(0);
    golden(&env, "isolation.trycmd");
}
