//! `sophos isolation check`: what an alert would do, and why.

mod pack_support;

use pack_support::{Ended, INSTANCE, TestEnv, fixture};
use serde_json::json;

async fn check(env: &TestEnv, source: &str, payload: &str, more: &[&str]) -> Ended {
    let (policy, payload) = (env.arg("policy.toml"), fixture(payload));
    let payload = payload.to_string_lossy();
    let args = ["isolation", "check", "--policy", &policy, "--source", source, &payload];
    env.run(&[&args, more].concat()).await
}

#[tokio::test]
async fn check_explains_each_outcome_and_changes_nothing() {
    let env = TestEnv::with_machines().await;
    let endpoint = |name: &str| json!(name);

    let crowdstrike = check(&env, "falcon", "crowdstrike.json", &[]).await.expect(0);
    let signal = crowdstrike.record();
    assert_eq!((&signal["outcome"], &signal["release_after_seconds"]), (&json!("isolate"), &json!(14_400)));
    assert_eq!(signal["endpoint"]["hostname"], endpoint("LAPTOP-4711"));
    assert_eq!(signal["signal"]["title"], "Ransomware behaviour");
    assert!(crowdstrike.stderr.contains("would isolate LAPTOP-4711"), "{}", crowdstrike.stderr);
    let budgets: Vec<_> =
        signal["budgets"].as_array().expect("budgets").iter().map(|b| &b["budget"]).collect();
    assert_eq!(budgets, ["source_budget", "tenant_budget", "estate_ceiling"]);
    assert!(signal["budgets"].as_array().expect("budgets").iter().all(|b| b["used"] == 0), "{signal}");

    let splunk = check(&env, "siem", "splunk.json", &[]).await.expect(0).record();
    assert_eq!((&splunk["outcome"], &splunk["code"]), (&json!("refused"), &json!("protected")));

    let pagerduty = check(&env, "oncall", "pagerduty.json", &[]).await.expect(0).record();
    assert_eq!((&pagerduty["outcome"], &pagerduty["code"]), (&json!("refused"), &json!("ambiguous")));
    assert_eq!(pagerduty["rejected_candidates"].as_array().map(Vec::len), Some(2));

    let generic = check(&env, "soar", "generic.json", &[]).await.expect(0);
    assert_eq!(generic.record()["outcome"], "wait_for_approval");
    assert!(generic.stderr.contains("once a person approves"), "{}", generic.stderr);

    let guardduty = check(&env, "guardduty", "guardduty.json", &[]).await.expect(0).record();
    assert_eq!(guardduty["endpoint"]["hostname"], endpoint("build-agent-7"));
    assert!(guardduty.to_string().contains(INSTANCE), "{guardduty}");

    assert!(env.simulator.isolation_changes().is_empty());
    assert_eq!(
        std::fs::read_dir(env.path(""))
            .expect("the folder")
            .filter(|entry| { entry.as_ref().is_ok_and(|entry| entry.file_name() == "decisions") })
            .count(),
        0
    );
}

#[tokio::test]
async fn offline_check_sends_no_request() {
    let env = TestEnv::with_machines().await;
    let checked = check(&env, "falcon", "crowdstrike.json", &["--offline"]).await.expect(0).record();
    assert_eq!(checked["outcome"], "admitted");
    assert_eq!(env.simulator.calls(), sophos_simulator::CallCounts::default());
}

#[tokio::test]
async fn dry_run_option_is_a_dry_run_of_the_policy() {
    let env = TestEnv::with_machines().await;
    let checked = check(&env, "falcon", "crowdstrike.json", &["--dry-run"]).await.expect(0);
    assert_eq!(checked.record()["outcome"], "dry_run");
}

#[tokio::test]
async fn wrong_source_payload_and_policy_have_their_codes() {
    let env = TestEnv::with_machines().await;
    let unknown = check(&env, "edr", "generic.json", &[]).await.expect(5);
    assert!(unknown.stderr.contains("falcon, guardduty, oncall"), "{}", unknown.stderr);
    check(&env, "soar", "missing.json", &[]).await.expect(5);
    let other = check(&env, "falcon", "policy.toml", &[]).await.expect(1);
    assert!(other.stderr.contains("would answer 422"), "{}", other.stderr);
    std::fs::write(env.path("policy.toml"), "version = 1\nmode = \"enfroce\"\n").expect("a file");
    let invalid = check(&env, "soar", "generic.json", &[]).await.expect(2);
    assert!(invalid.stderr.contains("line 2"), "{}", invalid.stderr);
}
