//! `sophos isolation serve` and `decisions`: a signed webhook, an approval, a release.

mod pack_support;

use std::fs;

use pack_support::{
    TestEnv, fixture,
    local_webhook::{KEY, Server, decisions, wait_for_state},
};
use serde_json::json;

#[tokio::test]
async fn signed_alert_is_approved_isolated_and_released() {
    let env = TestEnv::with_machines().await;
    let server = Server::start(&env).await;
    let body = fs::read_to_string(fixture("generic.json")).expect("a fixture");

    let (status, response) = server.post(&body, "a guessed key").await;
    assert_eq!(status, 401, "{response}");
    let (status, response) = server.post(&body, KEY).await;
    assert_eq!(status, 202, "{response}");
    let id = response["decision"].as_str().expect("a decision").to_owned();
    assert_eq!(server.post(&body, KEY).await.0, 200, "the same alert again");
    wait_for_state(&env, &id, &["pending_approval"]).await;

    let listed = decisions(&env, &["list", "--open"]).await.expect(0).record();
    assert_eq!((&listed["id"], &listed["hostname"]), (&json!(id), &json!("BOSS-PC")));
    assert_eq!(decisions(&env, &["list", "--state", "isolated"]).await.expect(0).records().len(), 0);

    let refused = decisions(&env, &["approve", &id]).await.expect(2);
    assert!(refused.stderr.contains("--yes"), "{}", refused.stderr);
    decisions(&env, &["approve", &id, "--dry-run"]).await.expect(0);
    assert!(env.simulator.isolation_changes().is_empty());
    let policy = env.arg("policy.toml");
    let approved = ["approve", id.as_str(), "--yes", "--by", "alice", "--policy", policy.as_str()];
    decisions(&env, &approved).await.expect(0);
    wait_for_state(&env, &id, &["isolated"]).await;
    let changes = env.simulator.isolation_changes();
    assert!(matches!(changes.as_slice(), [change] if change.enabled), "{changes:?}");

    // Without a policy the server carries it out.
    decisions(&env, &["release", &id, "--yes"]).await.expect(0);
    wait_for_state(&env, &id, &["release_requested", "released"]).await;
    let changes = env.simulator.isolation_changes();
    assert!(matches!(changes.as_slice(), [_, change] if !change.enabled), "{changes:?}");

    let again = decisions(&env, &["approve", &id, "--yes"]).await;
    assert!(matches!(again.code, Some(0 | 6)), "{again:?}");
    let (ended, log) = server.stop(&env).await;
    let statuses: Vec<_> = ended.records().iter().map(|outcome| outcome["status"].clone()).collect();
    assert!(statuses.contains(&json!("pending_approval")), "{ended:?}");
    assert!(log.contains("POST soar: 202") && log.contains("POST soar: 401"), "{log}");
    assert!(!log.contains(KEY), "{log}");
    ended.expect(0);
}

#[tokio::test]
async fn declined_alert_isolates_nothing() {
    let env = TestEnv::with_machines().await;
    let server = Server::start(&env).await;
    let body = fs::read_to_string(fixture("generic.json")).expect("a fixture");
    let (_, response) = server.post(&body, KEY).await;
    let id = response["decision"].as_str().expect("a decision").to_owned();
    wait_for_state(&env, &id, &["pending_approval"]).await;
    let declined = decisions(&env, &["decline", &id, "--yes"]).await.expect(0).record();
    assert_eq!(declined["state"], "declined");
    let refused = decisions(&env, &["approve", &id, "--yes"]).await.expect(6);
    assert!(refused.stderr.contains("declined"), "{}", refused.stderr);
    decisions(&env, &["show", "iso-0123456789abcdef01234567"]).await.expect(5);
    decisions(&env, &["show", "../etc/passwd"]).await.expect(2);
    let (ended, _) = server.stop(&env).await;
    ended.expect(0);
    assert!(env.simulator.isolation_changes().is_empty());
}

#[tokio::test]
async fn check_counts_the_budgets_of_a_ledger() {
    let env = TestEnv::with_machines().await;
    let server = Server::start(&env).await;
    let alert = json!({ "event_id": "e1", "severity": "high", "target": { "hostname": "LAPTOP-4711" } });
    let (status, response) = server.post(&alert.to_string(), KEY).await;
    assert_eq!(status, 202, "{response}");
    let id = response["decision"].as_str().expect("a decision").to_owned();
    wait_for_state(&env, &id, &["requested", "isolated"]).await;
    let (ended, _) = server.stop(&env).await;
    ended.expect(0);
    let before = fs::read_dir(env.path("ledger/decisions")).expect("decisions").count();

    fs::write(env.path("alert.json"), alert.to_string()).expect("a file");
    let (policy, ledger, payload) = (env.arg("policy.toml"), env.arg("ledger"), env.arg("alert.json"));
    let args = ["isolation", "check", "--policy", &policy, "--source", "soar", "--ledger", &ledger, &payload];
    let checked = env.run(&args).await.expect(0);
    assert!(checked.stderr.contains("the alert is a duplicate"), "{}", checked.stderr);
    let used: Vec<_> =
        checked.record()["budgets"].as_array().expect("budgets").iter().map(|b| b["used"].clone()).collect();
    assert_eq!(used, [1, 1, 1]);
    assert_eq!(fs::read_dir(env.path("ledger/decisions")).expect("decisions").count(), before);
}
