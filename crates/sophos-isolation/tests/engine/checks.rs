//! Checks of payloads by the engine.

use serde_json::{Value, json};
use sophos_isolation::{
    adapters::Message,
    check::{Check, CheckError},
    policy::Policy,
};
use sophos_simulator::MachineConfig;

use crate::support::{HOUR, TestEnv, TestPolicy, id, machine};

pub(crate) async fn check(env: &TestEnv, policy: &Policy, payload: &Value) -> Value {
    let body = payload.to_string();
    let message = Message { body: body.as_bytes(), idempotency_key: None };
    let check = Check::from_message(policy, "edr", &message, env.now()).unwrap();
    let check = env.engine().check(policy, check, None).await.unwrap();
    serde_json::to_value(check).unwrap()
}

pub(crate) fn payload(hostname: &str) -> Value {
    json!({ "event_id": "e", "severity": "high", "title": "malware", "target": { "hostname": hostname } })
}

#[tokio::test]
async fn check_reports_each_outcome_and_changes_nothing() {
    let mut all: Vec<MachineConfig> = (1..=4).map(machine).collect();
    all[2].hostname = all[1].hostname.clone();
    let env = TestEnv::new(all).await;
    let rules = TestPolicy { extra: "[protect]\nnames = [\"pc-4\"]", ..TestPolicy::default() };
    let policy = rules.policy();

    let isolate = check(&env, &policy, &payload("pc-1")).await;
    let signal = &isolate["signals"][0];
    assert_eq!(signal["outcome"], "isolate");
    assert_eq!(signal["release_after_seconds"], 4 * HOUR);
    assert_eq!(signal["endpoint"]["endpoint"], id(1));
    assert_eq!(isolate["response"]["status"], 202);
    assert_eq!(isolate["response"]["body"]["decision"], signal["decision"]);

    let several = check(&env, &policy, &payload("pc-2")).await;
    let signal = &several["signals"][0];
    assert_eq!((&signal["outcome"], &signal["code"]), (&json!("refused"), &json!("ambiguous")));
    let considered: Vec<_> = signal["rejected_candidates"].as_array().unwrap().iter().collect();
    assert_eq!(considered.len(), 2);
    assert!(considered.iter().all(|one| one["reason"] == "is one of several matches"), "{considered:?}");

    for (payload, code) in [
        (payload("pc-4"), "protected"),
        (payload("pc-9"), "not_found"),
        (json!({ "event_id": "e", "severity": "low", "target": { "hostname": "pc-1" } }), "severity"),
        (json!({ "event_id": "e", "severity": "high" }), "no_host"),
        (
            json!({
                "event_id": "e", "severity": "high", "observed_at": "2020-01-01T00:00:00Z",
                "target": { "hostname": "pc-1" },
            }),
            "too_old",
        ),
    ] {
        let checked = check(&env, &policy, &payload).await;
        assert_eq!(checked["signals"][0]["code"], code, "{payload}");
    }

    let dry_run = TestPolicy { mode: "dry_run", ..TestPolicy::default() }.policy();
    assert_eq!(check(&env, &dry_run, &payload("pc-1")).await["signals"][0]["outcome"], "dry_run");
    env.isolate_in_console(1, true, "by hand").await;
    let isolated = check(&env, &policy, &payload("pc-1")).await;
    assert_eq!(isolated["signals"][0]["outcome"], "already_isolated");
    assert_eq!(isolated["signals"][0]["comment"], "by hand");

    assert_eq!(env.changes(), ["on 1"], "only the console changed anything");
    for folder in ["decisions", "schedule", "machines", "slots", "alerts"] {
        assert_eq!(env.object_names(folder).await, [""; 0], "{folder}");
    }
}

#[tokio::test]
async fn check_reports_invalid_payload_and_unknown_source() {
    let env = TestEnv::new(Vec::new()).await;
    let policy = TestPolicy::default().policy();
    let unreadable = check(&env, &policy, &json!({ "target": { "hostname": "pc-1" } })).await;
    assert_eq!(unreadable["response"]["status"], 422);
    assert_eq!(unreadable["signals"], json!([]));
    let message = Message { body: b"{}", idempotency_key: None };
    let unknown = Check::from_message(&policy, "absent", &message, env.now());
    assert_eq!(unknown.unwrap_err(), CheckError::UnknownSource("absent".to_owned()));
}
