//! Tests of tools' payloads with expected outcomes, through the built webhook, a queue and the
//! built worker.
//!
//! Each file in `cases/` has one source, its machines, and payloads with the machines to
//! isolate, the machines that wait for approval, or the reasons of refusals. The files of a
//! folder share one estate: a payload must not isolate machines of other files.

mod cases {
    pub(crate) mod files;
    pub(crate) mod fixture;
}

use cases::{
    files::CaseFolder,
    fixture::{CaseResults, Fixture},
};
use end_to_end::{
    isolation::{
        Delivery, ENFORCE_POLICY, IsolationEnv, hostname, machine_id, simulator_config, unix_now,
        webhook_secret,
    },
    queue::{EventSource, Queue},
};
use local_lambda::{InvocationOutcome, Sandbox};
use serde_json::{Value, json};
use sophos_simulator::CredentialKind;

/// Runs every case of a folder, and fails with all differences.
async fn run(folder: &str) {
    let folder = CaseFolder::load(folder).expect("the case files");
    assert!(!folder.files.is_empty(), "a folder without files tests nothing");
    let mut fixture = Fixture::start(&folder).await.expect("a stage");
    let mut tally = CaseResults::default();
    for file in &folder.files {
        for case in &file.cases {
            let found = fixture.run(file, case).await.expect("an outcome");
            tally.add(file, case, &found);
        }
    }
    println!("{tally}");
    assert!(tally.all_passed(), "{tally}");
    fixture.confirm_isolations().await.expect("confirmed isolations");
}

#[tokio::test(flavor = "multi_thread")]
async fn public_report_payloads_resolve_to_the_right_machine() {
    run("webhooks").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn identity_cases_resolve_to_the_right_machine() {
    run("isolation").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tool_payloads_resolve_to_the_right_machine() {
    run("tools").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn preset_payloads_resolve_to_the_right_machine() {
    run("presets").await;
}

/// TOML escapes: the values have white space around the key.
const STORED_KEYS: [(&str, bool); 5] = [
    (r"KEY\n", false),
    (r"KEY\r\n", false),
    (r"  KEY\t ", false),
    (r#"{\"key\": \"KEY\"}"#, true),
    (r#"{\"key\":\"KEY\"}\n"#, true),
];

#[tokio::test(flavor = "multi_thread")]
async fn stored_key_is_accepted_or_reported_as_the_cause() {
    let secret = webhook_secret("webhooks/generic");
    let env =
        IsolationEnv::start(simulator_config(STORED_KEYS.len()), CredentialKind::Tenant, ENFORCE_POLICY)
            .await;
    let env = env.expect("an environment");
    for ((stored, is_remarked), machine) in STORED_KEYS.into_iter().zip(1..) {
        env.set_secrets(&[("webhooks/generic", &stored.replace("KEY", secret), None)]).expect("a secret");
        let mut webhook = env.webhook().start().await.expect("the webhook");
        let body =
            json!({ "event_id": format!("key-{machine}"), "target": { "hostname": hostname(machine) } });
        let delivery = Delivery::generic("soar", &body, secret, unix_now());
        let InvocationOutcome::Ok(answer) = webhook.invoke(&delivery.to_event()).await else {
            panic!("{stored:?}: {}", webhook.logs().join("\n"))
        };
        let logs = webhook.logs().join("\n");
        let note = logs.contains("\"event\":\"webhook_note\"");
        if is_remarked {
            // A JSON object is either parsed or named in the error.
            assert!(answer["statusCode"] == 202 || note, "{stored:?}: {answer}\n{logs}");
            assert!(note, "{stored:?}: {answer}\n{logs}");
        } else {
            assert_eq!(answer["statusCode"], 202, "{stored:?}: {answer}\n{logs}");
        }
    }
    let isolated = env.simulator.isolation_changes();
    assert!(isolated.iter().all(|change| change.enabled), "{isolated:?}");
    let plain = STORED_KEYS.iter().filter(|(_, is_remarked)| !is_remarked).count();
    assert!(isolated.len() >= plain, "{isolated:?}");
}

async fn answer(function: &mut Sandbox, event: &Value) -> Value {
    match function.invoke(event).await {
        InvocationOutcome::Ok(answer) => answer,
        other => panic!("{event}: {other:?}\n{}", function.logs().join("\n")),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn dry_runs_write_nothing_to_the_ledger() {
    let env = IsolationEnv::start(simulator_config(2), CredentialKind::Tenant, ENFORCE_POLICY)
        .await
        .expect("an environment");
    let queue = Queue::start().await.expect("a queue");
    let payload = json!({ "event_id": "check-1", "target": { "hostname": hostname(2) } });
    let mut worker = env.worker().start().await.expect("the worker");
    let checked =
        answer(&mut worker, &json!({ "check": { "source": "soar", "payload": payload.clone() } })).await;
    assert_eq!(checked["signals"][0]["outcome"], "isolate", "{checked}");
    assert_eq!(checked["signals"][0]["endpoint"]["endpoint"], machine_id(2), "{checked}");
    assert_eq!(checked["response"]["status"], 202, "{checked}");

    let delivery = Delivery::generic("soar", &payload, webhook_secret("webhooks/generic"), unix_now());
    let dry = delivery.clone().with_header("x-sophos-dry-run", "1").to_event();
    let queued = queue.configure(env.webhook()).env("ISOLATION_QUEUE_URL", queue.url());
    let mut queued = queued.start().await.expect("the webhook with a queue");
    let mut alone = env.webhook().start().await.expect("the webhook");
    let mut workers = EventSource::new(&queue, env.worker(), 1, 10).await.expect("the worker");
    workers.run();
    for webhook in [&mut queued, &mut alone] {
        let response = answer(webhook, &dry).await;
        assert_eq!(response["statusCode"], 200, "{response}");
        let body: Value = serde_json::from_str(response["body"].as_str().unwrap_or_default()).expect("JSON");
        assert_eq!(body["dry_run"], true, "{body}");
        assert_eq!(body["check"], checked, "the same as from the worker");
    }
    let objects = env.objects().expect("objects");
    // A dry run uses a lookup of its source, and the worker responds to it.
    let is_of_check = |path: &String| path.starts_with("checks/") || path.contains("/lookups/soar/check-");
    assert!(objects.keys().all(is_of_check), "{:?}", objects.keys());
    assert!(env.simulator.isolation_changes().is_empty());
    queue.wait_for_deleted(1).await;
    assert!(queue.is_empty(), "{:?}", queue.messages());
}
