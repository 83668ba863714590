//! Tests of people's actions: they approve or decline by a link or a command, they release
//! endpoints, and they receive outcomes from a bus.

use std::time::Duration;

use end_to_end::{
    isolation::{
        Delivery, ENFORCE_POLICY, IsolationEnv, TENANT, hostname, machine_id, parse_decision_id,
        simulator_config,
    },
    moto::Moto,
};
use local_lambda::{FunctionUrl, InvocationOutcome, Sandbox};
use serde_json::{Value, json};
use sophos_isolation::{DecisionId, DecisionState};
use sophos_simulator::CredentialKind;

fn policy() -> String {
    format!("{ENFORCE_POLICY}approve = \"always\"\n[approve]\nsecret = \"isolation/approval\"\n")
}

async fn test_env(policy: &str) -> IsolationEnv {
    IsolationEnv::start(simulator_config(3), CredentialKind::Tenant, policy).await.expect("an environment")
}

async fn deliver(webhook: &FunctionUrl, event: &str, machine: usize) -> DecisionId {
    let delivery = Delivery::isolate(event, &hostname(machine));
    let (status, response) =
        delivery.send(&reqwest::Client::new(), &webhook.url()).await.expect("a response");
    assert_eq!(status, 202, "{response}\n{}", webhook.logs().join("\n"));
    parse_decision_id(&response).expect("a decision")
}

async fn invoke_command(worker: &mut Sandbox, order: &Value) -> Value {
    match worker.invoke(order).await {
        InvocationOutcome::Ok(response) => response,
        other => panic!("{order}: {other:?}\n{}", worker.logs().join("\n")),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn worker_executes_commands() {
    let env = test_env(&policy()).await;
    let webhook = FunctionUrl::start(env.webhook(), 1).await.expect("the webhook");
    let mut worker = env.worker().start().await.expect("the worker");
    let first = deliver(&webhook, "1", 1).await;
    let second = deliver(&webhook, "2", 2).await;
    for id in [&first, &second] {
        let shown = invoke_command(&mut worker, &json!({ "show": id })).await;
        assert_eq!(shown["state"], "pending_approval", "{shown}");
    }
    let early = worker.invoke(&json!({ "release": first, "by": "alice" })).await;
    assert!(
        matches!(&early, InvocationOutcome::FunctionError { message, .. } if message.contains("pending_approval")),
        "{early:?}"
    );

    let declined = invoke_command(&mut worker, &json!({ "decline": second, "by": "bob\u{7}\n" })).await;
    assert_eq!(
        (declined["state"].as_str(), declined["entries"][2]["by"].as_str()),
        (Some("declined"), Some("bob"))
    );
    let approved = invoke_command(&mut worker, &json!({ "approve": first, "by": "alice" })).await;
    assert_eq!(approved["state"], "requested", "{approved}");
    assert_eq!(approved["entries"][2]["by"], "alice");
    let again = invoke_command(&mut worker, &json!({ "approve": first, "by": "mallory" })).await;
    assert_eq!(again["entries"][2], approved["entries"][2], "an answer is given once");
    env.follow_up(&mut worker).await.expect("a report");
    assert_eq!(env.state(&first).await.expect("a state"), DecisionState::Isolated);
    let released = invoke_command(&mut worker, &json!({ "release": first, "by": "alice" })).await;
    assert_eq!(released["state"], "release_requested", "at once, not with the next schedule: {released}");
    env.follow_up(&mut worker).await.expect("a report");
    assert_eq!(env.state(&first).await.expect("a state"), DecisionState::Released);
    let changes: Vec<_> =
        env.simulator.isolation_changes().into_iter().map(|one| (one.endpoint, one.enabled)).collect();
    assert_eq!(changes, [(machine_id(1), true), (machine_id(1), false)]);

    for (wrong, kind) in [
        (json!({ "show": "iso-0123456789abcdef01234567" }), "CommandRejected"),
        (json!({ "release": second, "by": "alice" }), "CommandRejected"),
        (json!({ "approve": second, "by": "alice" }), "CommandRejected"),
        (json!({ "decline": first, "release": first }), "InvalidEvent"),
    ] {
        let outcome = worker.invoke(&wrong).await;
        assert_eq!(outcome.error_kind(), Some(kind), "{wrong}: {outcome:?}");
    }
    assert_eq!(env.state(&second).await.expect("a state"), DecisionState::Declined);
    // The estate permits are free again; the hourly ones stay used.
    let taken = env.held_permits().expect("permits");
    assert!(taken.len() == 2 && taken.iter().all(|slot| slot.starts_with("permits/hour/")), "{taken:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn timeouts_end_approvals_and_isolations() {
    let env = test_env(&policy()).await;
    let webhook = FunctionUrl::start(env.webhook(), 1).await.expect("the webhook");
    let mut worker = env.worker().start().await.expect("the worker");
    let waiting = deliver(&webhook, "1", 1).await;
    env.advance_ledger_time(Duration::from_secs(4 * 3_600 + 60)).expect("the ledger's files");
    let scheduled = json!({ "detail-type": "Scheduled Event", "source": "aws.events" });
    let report = invoke_command(&mut worker, &scheduled).await;
    assert_eq!(report["transitions"], json!({ "expired": 1 }), "{report}");

    env.set_policy(&ENFORCE_POLICY.replace("[limits]", "[release]\nafter = \"2h\"\n[limits]"))
        .expect("a policy");
    let webhook = FunctionUrl::start(env.webhook(), 1).await.expect("the webhook");
    let mut worker = env.worker().start().await.expect("the worker");
    let held = deliver(&webhook, "2", 2).await;
    for (pass, moved) in [
        (100, json!({ "isolated": 1 })),
        (3_700, json!({})),
        (3_700, json!({ "release_requested": 1 })),
        (100, json!({ "released": 1 })),
        (7_200, json!({})),
    ] {
        env.advance_ledger_time(Duration::from_secs(pass)).expect("the ledger's files");
        let report = invoke_command(&mut worker, &scheduled).await;
        assert_eq!(report["transitions"], moved, "{report}");
    }
    assert_eq!(env.state(&held).await.expect("a state"), DecisionState::Released);
    assert_eq!(env.state(&waiting).await.expect("a state"), DecisionState::Expired);
    let is_reminder = |path: &String| path.starts_with("schedule/") || path.starts_with("inbox/");
    let reminders = env.objects().expect("objects").into_keys().filter(is_reminder).count();
    assert_eq!(reminders, 0, "nothing is left to do");
}

/// The events of a bus, through a queue.
struct Bus {
    moto: Moto,
    queue: String,
}

impl Bus {
    /// The new events: the detail type and the detail of each.
    async fn events(&self) -> Vec<(String, Value)> {
        let mut events = Vec::new();
        for message in self.moto.receive(&self.queue).await.expect("messages") {
            let event: Value = serde_json::from_str(message.body().unwrap_or_default()).expect("an event");
            assert_eq!(event["source"], "sophos.isolation");
            let kind = event["detail-type"].as_str().expect("a detail type").to_owned();
            events.push((kind, event["detail"].clone()));
        }
        events
    }

    async fn single_event(&self, kind: &str) -> Value {
        let mut events = self.events().await;
        assert_eq!(events.len(), 1, "{events:?}");
        let (found, detail) = events.remove(0);
        assert_eq!(found, kind, "{detail}");
        detail
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Python with an emulator of AWS: `cargo xtask test` runs it"]
async fn approval_link_from_the_bus_approves_the_decision() {
    let Some(moto) = Moto::start().await.expect("the emulator serves") else {
        panic!("missing EMULATOR_PYTHON")
    };
    let env = test_env(&policy()).await;
    let queue = moto.create_queue("outcomes").await.expect("a queue");
    let signals = moto.create_queue("signals").await.expect("a queue");
    let pattern = json!({ "source": ["sophos.isolation"] }).to_string();
    moto.create_bus("security", &pattern, &queue).await.expect("a bus");
    let bus = Bus { moto, queue };
    let admit = |function| bus.moto.configure(function).env("ISOLATION_EVENT_BUS", "security");
    let webhook = admit(env.webhook()).env("ISOLATION_QUEUE_URL", &signals).env("LOG_LEVEL", "trace");
    let webhook = FunctionUrl::start(webhook, 1).await.expect("the webhook");
    let worker = admit(env.worker()).env("ISOLATION_APPROVAL_URL", webhook.url()).env("LOG_LEVEL", "trace");
    let mut worker = worker.start().await.expect("the worker");

    // The real protocol of SQS, as moto implements it.
    let id = deliver(&webhook, "1", 1).await;
    let messages = bus.moto.receive(&signals).await.expect("messages");
    assert_eq!(messages.len(), 1, "{messages:?}");
    let body = messages[0].body().expect("a body");
    assert_eq!(body, json!({ "decision": id }).to_string());
    let record = json!({ "messageId": "1", "body": body, "eventSource": "aws:sqs" });
    let response = invoke_command(&mut worker, &json!({ "Records": [record] })).await;
    assert_eq!(response, json!({ "batchItemFailures": [] }));

    let waiting = bus.single_event("Isolation pending_approval").await;
    let wanted = json!({
        "decision": id, "sequence": 2, "status": "pending_approval", "source": "soar", "tool": "generic", "title": "beacon",
        "target": { "tenant": TENANT, "endpoint": machine_id(1), "hostname": hostname(1) },
    });
    for (name, value) in wanted.as_object().expect("members") {
        assert_eq!(&waiting[name], value, "{name} of {waiting}");
    }
    let link = waiting["approval_url"].as_str().expect("a link");
    assert!(link.starts_with(&webhook.url()), "{link}");

    let http = reqwest::Client::new();
    let wrong = http.get(link.replace("until=1", "until=2")).send().await.expect("a response");
    assert_eq!(wrong.status(), 403);
    let page = http.get(link).send().await.expect("a response");
    assert_eq!(page.status(), 200);
    assert_eq!(page.headers()["referrer-policy"], "no-referrer");
    let page = page.text().await.expect("a page");
    assert!(page.contains(&hostname(1)) && page.contains("<form method=\"post\">"), "{page}");
    assert_eq!(
        env.state(&id).await.expect("a state"),
        DecisionState::PendingApproval,
        "a look approves nothing"
    );
    for _ in 0..2 {
        let form = http.post(link).header("content-type", "application/x-www-form-urlencoded");
        let approved = form.body("answer=approve").send().await.expect("a response");
        assert_eq!(approved.status(), 200);
        let page = approved.text().await.expect("a page");
        assert!(page.contains("Approved."), "{page}");
    }
    let decline = http.post(link).body("answer=decline").send().await.expect("a response");
    assert!(decline.text().await.expect("a page").contains("Nothing was changed"));

    let messages = bus.moto.receive(&signals).await.expect("messages");
    assert!(!messages.is_empty() && messages.iter().all(|one| one.body() == Some(body)), "{messages:?}");
    invoke_command(&mut worker, &json!({ "Records": [record] })).await;
    let requested = bus.single_event("Isolation requested").await;
    assert_eq!(
        (requested["sequence"].as_u64(), requested["approval_url"].as_str()),
        (Some(5), None),
        "{requested}"
    );
    env.follow_up(&mut worker).await.expect("a report");
    let isolated = bus.single_event("Isolation isolated").await;
    assert_eq!(isolated["target"], waiting["target"]);
    invoke_command(&mut worker, &json!({ "release": id, "by": "alice" })).await;
    bus.single_event("Isolation release_requested").await;
    env.follow_up(&mut worker).await.expect("a report");
    bus.single_event("Isolation released").await;
    env.follow_up(&mut worker).await.expect("a report");
    assert!(bus.events().await.is_empty(), "each outcome is published once");

    // The link is the only permission to approve: it is on the bus and nowhere else.
    let signature = link.rsplit_once('=').expect("a signature").1;
    assert_eq!(signature.len(), 64);
    let mut output: Vec<_> = webhook.stop().await.into_iter().flat_map(|stopped| stopped.logs).collect();
    output.extend(worker.stop().await.logs);
    let objects = env.objects().expect("objects").into_iter();
    output.extend(objects.map(|(path, body)| format!("{path} {}", String::from_utf8_lossy(&body))));
    assert_eq!(output.iter().find(|text| text.contains(signature)), None);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Python with an emulator of AWS: `cargo xtask test` runs it"]
async fn unavailable_bus_does_not_block_isolation() {
    let Some(moto) = Moto::start().await.expect("the emulator serves") else {
        panic!("missing EMULATOR_PYTHON")
    };
    let env = test_env(ENFORCE_POLICY).await;
    let queue = moto.create_queue("outcomes").await.expect("a queue");
    let webhook = moto.configure(env.webhook()).env("ISOLATION_EVENT_BUS", "security");
    let webhook = FunctionUrl::start(webhook, 1).await.expect("the webhook");
    // The bus does not exist yet.
    let id = deliver(&webhook, "1", 1).await;
    assert_eq!(env.state(&id).await.expect("a state"), DecisionState::Requested);
    let pattern = json!({ "source": ["sophos.isolation"] }).to_string();
    moto.create_bus("security", &pattern, &queue).await.expect("a bus");
    let bus = Bus { moto, queue };
    let worker = bus.moto.configure(env.worker()).env("ISOLATION_EVENT_BUS", "security");
    let mut worker = worker.start().await.expect("the worker");
    env.follow_up(&mut worker).await.expect("a report");
    let mut kinds: Vec<_> = bus.events().await.into_iter().map(|(kind, _)| kind).collect();
    kinds.sort_unstable();
    assert_eq!(kinds, ["Isolation isolated", "Isolation requested"], "a missed outcome is published later");
}
