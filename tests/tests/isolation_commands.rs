//! Tests of commands about machines, and of events that must fail an invocation.

use end_to_end::isolation::{
    Delivery, ENFORCE_POLICY, IsolationEnv, TENANT, hostname, machine_id, parse_decision_id, simulator_config,
};
use local_lambda::{FunctionUrl, InvocationOutcome};
use serde_json::{Value, json};
use sophos_isolation::DecisionState;
use sophos_simulator::CredentialKind;

async fn test_env() -> IsolationEnv {
    IsolationEnv::start(simulator_config(2), CredentialKind::Tenant, ENFORCE_POLICY)
        .await
        .expect("an environment")
}

#[tokio::test(flavor = "multi_thread")]
async fn worker_releases_a_machine_by_name() {
    let env = test_env().await;
    let webhook = FunctionUrl::start(env.webhook(), 1).await.expect("the webhook");
    let mut worker = env.worker().start().await.expect("the worker");
    let machine =
        |tenant: Value| json!({ "release": { "endpoint": machine_id(1), "tenant": tenant }, "by": "ana" });
    let early = worker.invoke(&machine(Value::Null)).await;
    assert_eq!(early.error_kind(), Some("CommandRejected"), "{early:?}");
    assert!(format!("{early:?}").contains("nothing to release"), "{early:?}");
    for tenant in [Value::Null, json!(TENANT)] {
        let mut ids = Vec::new();
        for event in ["a", "b"] {
            let event = format!("{event}-{tenant}");
            let delivery = Delivery::isolate(&event, &hostname(1));
            let (_, response) =
                delivery.send(&reqwest::Client::new(), &webhook.url()).await.expect("a response");
            ids.push(parse_decision_id(&response).expect("a decision"));
        }
        env.follow_up(&mut worker).await.expect("a report");
        let InvocationOutcome::Ok(response) = worker.invoke(&machine(tenant)).await else {
            panic!("{}", worker.logs().join("\n"))
        };
        assert_eq!(response["released"].as_array().map(Vec::len), Some(2), "{response}");
        assert_eq!(response["released"][0]["state"], "release_requested", "{response}");
        env.follow_up(&mut worker).await.expect("a report");
        for id in &ids {
            assert_eq!(env.state(id).await.expect("a state"), DecisionState::Released);
        }
    }
    let changes: Vec<_> = env.simulator.isolation_changes().iter().map(|one| one.enabled).collect();
    assert_eq!(changes, [true, false, true, false]);
    for wrong in [json!({ "endpoint": "pc-1" }), json!({ "endpoint": machine_id(1), "tenant": "../slots" })] {
        let outcome = worker.invoke(&json!({ "release": wrong })).await;
        assert_eq!(outcome.error_kind(), Some("CommandRejected"), "{outcome:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn invocation_fails_when_an_aws_event_is_rejected() {
    let env = test_env().await;
    let policy = format!(
        "{ENFORCE_POLICY}\n[sources.gd]\ntool = \"guardduty\"\ntenants = [\"{TENANT}\"]\n\
         accounts = {{ \"111122223333\" = \"{TENANT}\" }}\n\
         [sources.hub]\ntool = \"security_hub\"\ntenants = [\"{TENANT}\"]\nper_hour = 0\n\
         accounts = {{ \"111122223333\" = \"{TENANT}\" }}\n"
    );
    env.set_policy(&policy).expect("a policy");
    let finding = |source: &str, account: &str| {
        json!({
            "version": "0", "id": "e-1", "source": source, "account": account, "region": "eu-west-1",
            "detail-type": "GuardDuty Finding", "detail": { "title": "no id" },
        })
    };
    let inner = finding("aws.guardduty", "111122223333").to_string();
    let rows = [
        (finding("aws.guardduty", "444455556666"), "UnlistedAccount"),
        (finding("aws.guardduty", "111122223333"), "MalformedEvent"),
        (finding("aws.securityhub", "111122223333"), "SourceDisabled"),
        (finding("aws.inspector2", "111122223333"), "InvalidEvent"),
        (json!({ "Records": [{ "EventSource": "aws:sns", "Sns": { "Message": inner } }] }), "InvalidEvent"),
        (
            json!({ "Records": [{ "eventSource": "aws:sqs", "messageId": "1", "body": inner }] }),
            "InvalidEvent",
        ),
        (json!({ "Records": [{ "eventSource": "aws:s3", "s3": {} }] }), "InvalidEvent"),
    ];
    let queue = end_to_end::queue::Queue::start().await.expect("a queue");
    let webhook = queue.configure(env.webhook()).env("ISOLATION_QUEUE_URL", queue.url());
    let mut webhook = webhook.start().await.expect("the webhook");
    let mut alone = env.webhook().start().await.expect("the webhook without a queue");
    for (event, kind) in &rows {
        let outcome = webhook.invoke(event).await;
        assert_eq!(outcome.error_kind(), Some(*kind), "{event}: {outcome:?}");
        let is_sqs = event["Records"][0]["eventSource"] == "aws:sqs";
        if !is_sqs {
            let outcome = alone.invoke(event).await;
            assert_eq!(outcome.error_kind(), Some(*kind), "without a queue: {event}: {outcome:?}");
        }
    }
    let objects = env.objects().expect("objects");
    assert_eq!(objects.len(), 1, "{:?}", objects.keys());
    assert!(objects.keys().all(|path| path.starts_with("unreadable/gd/")), "{:?}", objects.keys());
    let logs = webhook.logs().join("\n");
    for part in ["\"event\":\"malformed_alert\"", "\"event\":\"source_disabled\""] {
        assert!(logs.contains(part), "{part}: {logs}");
    }
}
