//! Tests of isolation with faults around it: concurrent duplicates, rejections of the service,
//! failures of the queue or the ledger, invalid messages. No event is lost, and no endpoint is
//! isolated twice.

use std::time::Duration;

use end_to_end::{
    ClosedPort,
    isolation::{
        Delivery, ENFORCE_POLICY, IsolationEnv, hostname, machine_id, parse_decision_id, simulator_config,
        tight_limits_policy,
    },
    queue::{EventSource, Queue},
    s3::{S3Server, S3Trap},
};
use local_lambda::{FunctionUrl, InvocationOutcome, LambdaFunction};
use serde_json::{Value, json};
use sophos_isolation::{Decision, DecisionId, DecisionState, IsolationOrigin, Transition};
use sophos_simulator::{CredentialKind, FaultAction, FaultPlan, FaultRule, RetryAfter};
use tokio::task::JoinSet;

async fn test_env(machines: usize) -> IsolationEnv {
    IsolationEnv::start(simulator_config(machines), CredentialKind::Tenant, ENFORCE_POLICY)
        .await
        .expect("an environment")
}

fn with_queue(queue: &Queue, function: LambdaFunction) -> LambdaFunction {
    queue.configure(function).env("ISOLATION_QUEUE_URL", queue.url())
}

/// Sends the same delivery five times concurrently, to these URLs in turn.
async fn send_five(delivery: &Delivery, urls: &[String]) -> (Vec<u16>, DecisionId) {
    let http = reqwest::Client::new();
    let mut sending = JoinSet::new();
    for url in urls.iter().cycle().take(5) {
        let (http, delivery, url) = (http.clone(), delivery.clone(), url.clone());
        sending.spawn(async move { delivery.send(&http, &url).await.expect("a response") });
    }
    let answers = sending.join_all().await;
    let mut ids: Vec<_> =
        answers.iter().map(|(_, response)| parse_decision_id(response).expect("a decision")).collect();
    ids.dedup();
    assert_eq!(ids.len(), 1, "{answers:?}");
    let mut statuses: Vec<_> = answers.iter().map(|(status, _)| *status).collect();
    statuses.sort_unstable();
    (statuses, ids.remove(0))
}

/// This decision isolates this machine exactly once and holds all permits.
async fn assert_isolated_once(env: &IsolationEnv, id: &DecisionId, machine: usize) -> Decision {
    let changes = env.simulator.isolation_changes();
    let of_machine: Vec<_> = changes.iter().filter(|one| one.endpoint == machine_id(machine)).collect();
    assert_eq!(of_machine.len(), 1, "{changes:#?}");
    assert!(of_machine[0].enabled && of_machine[0].changed, "{changes:#?}");
    let decision = env.decision(id).await.expect("a decision");
    let claim = decision.claim().expect("a claim");
    assert_eq!(claim.target.endpoint, machine_id(machine));
    let taken = env.held_permits().expect("permits");
    assert!(
        claim.permits.len() == 3 && claim.permits.iter().all(|slot| taken.contains(slot)),
        "{claim:?} {taken:?}"
    );
    decision
}

#[tokio::test(flavor = "multi_thread")]
async fn five_concurrent_duplicates_isolate_once() {
    let env = test_env(1).await;
    let queue = Queue::start().await.expect("a queue");
    let webhook = FunctionUrl::start(with_queue(&queue, env.webhook()), 5).await.expect("the webhook");
    let (statuses, id) = send_five(&Delivery::isolate("1", &hostname(1)), &[webhook.url()]).await;
    assert_eq!(statuses, [200, 200, 200, 200, 202]);
    assert!(webhook.pids().len() > 1, "they are several processes");
    let messages = queue.messages();
    let body = json!({ "decision": id }).to_string();
    assert!(!messages.is_empty() && messages.iter().all(|message| message.body == body), "{messages:?}");

    let record = json!({ "messageId": "1", "body": body, "eventSource": "aws:sqs" });
    let mut working = JoinSet::new();
    for _ in 0..4 {
        let mut worker = env.worker().start().await.expect("the worker starts");
        let event = json!({ "Records": [record] });
        working.spawn(async move { (worker.invoke(&event).await, worker.logs()) });
    }
    for (outcome, logs) in working.join_all().await {
        assert_eq!(outcome, InvocationOutcome::Ok(json!({ "batchItemFailures": [] })), "{}", logs.join("\n"));
    }
    let decision = assert_isolated_once(&env, &id, 1).await;
    assert_eq!(decision.state(), DecisionState::Requested);
    assert_eq!(env.decisions().await.expect("a ledger without holes").len(), 1);
    assert_eq!(env.held_permits().expect("permits").len(), 3, "late processes returned their permits");
}

#[tokio::test(flavor = "multi_thread")]
async fn five_webhooks_without_a_queue_isolate_once() {
    five_webhooks(ENFORCE_POLICY).await;
}

/// None of the five counts a permit of the same decision as used by another.
#[tokio::test(flavor = "multi_thread")]
async fn five_webhooks_isolate_once_within_a_budget_of_one() {
    five_webhooks(&tight_limits_policy()).await;
}

async fn five_webhooks(policy: &str) {
    let env = IsolationEnv::start(simulator_config(1), CredentialKind::Tenant, policy)
        .await
        .expect("an environment");
    let mut webhooks = Vec::new();
    for _ in 0..5 {
        let function = env.webhook().env("ISOLATION_LEASE_SECONDS", "300");
        webhooks.push(FunctionUrl::start(function, 1).await.expect("the webhook"));
    }
    let urls: Vec<_> = webhooks.iter().map(FunctionUrl::url).collect();
    let (statuses, id) = send_five(&Delivery::isolate("1", &hostname(1)), &urls).await;
    assert_eq!(statuses, [200, 200, 200, 200, 202]);
    let decision = assert_isolated_once(&env, &id, 1).await;
    assert_eq!(env.decisions().await.expect("a ledger without holes").len(), 1);
    assert_eq!(env.held_permits().expect("permits").len(), 3, "late processes returned their permits");
    let claim = decision.claim().expect("a claim");
    let left = claim.lease_until - decision.created_at_ms() / 1_000;
    assert!((300..330).contains(&left), "the lease is the one that was set: {left}");
}

#[tokio::test(flavor = "multi_thread")]
async fn isolation_happens_once_whatever_the_call_outcome() {
    let env = test_env(6).await;
    let webhook = FunctionUrl::start(env.webhook(), 1).await.expect("the webhook");
    let http = reqwest::Client::new();
    let cases = [
        (FaultAction::Disconnect, Some(IsolationOrigin::AlreadyApplied)),
        (FaultAction::Truncate, Some(IsolationOrigin::AlreadyApplied)),
        (FaultAction::Malformed, Some(IsolationOrigin::AlreadyApplied)),
        (FaultAction::status(500), None),
        (FaultAction::Html { status: 503 }, None),
        (FaultAction::OmitEndpoint { endpoint: None }, None),
    ];
    let mut ids = Vec::new();
    for (number, (action, how)) in (1..).zip(cases) {
        let rule = FaultRule::new("isolation.bulk", action.clone()).times(1);
        env.simulator.set_faults(FaultPlan::new([rule]));
        let delivery = Delivery::isolate(&format!("event-{number}"), &hostname(number));
        let (status, response) = delivery.send(&http, &webhook.url()).await.expect("a response");
        assert_eq!(status, 202, "{action:?}: {response}");
        let id = parse_decision_id(&response).expect("a decision");
        let decision = env.decision(&id).await.expect("a decision");
        match how {
            Some(how) => {
                let last = decision.entries().last().map(|entry| &entry.transition);
                assert!(
                    matches!(last, Some(Transition::Requested { origin: it, .. }) if *it == how),
                    "{action:?}: {last:?}"
                );
            }
            None => assert_eq!(decision.state(), DecisionState::Deferred, "{action:?}: {decision:#?}"),
        }
        ids.push((number, id));
    }
    env.advance_ledger_time(Duration::from_secs(60)).expect("the ledger's files");
    let mut worker = env.worker().start().await.expect("the worker");
    for _ in 0..2 {
        let report = env.follow_up(&mut worker).await.expect("a report");
        assert_eq!(report["errors"], json!([]), "{report}");
    }
    for (number, id) in ids {
        assert_eq!(assert_isolated_once(&env, &id, number).await.state(), DecisionState::Isolated);
    }
    assert_eq!(env.held_permits().expect("permits").len(), 18, "three for each");
}

#[tokio::test(flavor = "multi_thread")]
async fn isolation_is_retried_after_ten_minutes_of_throttling() {
    let env = test_env(1).await;
    let queue = Queue::start().await.expect("a queue");
    let webhook = FunctionUrl::start(with_queue(&queue, env.webhook()), 1).await.expect("the webhook");
    let ten_minutes = Duration::from_secs(600);
    let throttle = FaultAction::throttle(Some(RetryAfter::Seconds(300)));
    env.simulator.set_faults(FaultPlan::new([FaultRule::new("*", throttle).for_duration(ten_minutes)]));

    let http = reqwest::Client::new();
    let (status, response) =
        Delivery::isolate("1", &hostname(1)).send(&http, &webhook.url()).await.expect("a response");
    assert_eq!(status, 202, "the webhook sends no request to the service: {response}");
    let id = parse_decision_id(&response).expect("a decision");
    let worker = EventSource::new(&queue, env.worker(), 1, 10).await.expect("the worker");
    let drained = worker.drain().await;
    assert_eq!((drained.handled, drained.returned), (1, 0), "{drained:?}");

    let mut states = vec![env.state(&id).await.expect("a state")];
    for _ in 0..3 {
        let pause = Duration::from_secs(310);
        env.advance_ledger_time(pause).expect("the ledger's files");
        env.simulator.clock().advance(pause);
        // A worker that has to wait would wait in real time.
        let mut worker = env.worker().start().await.expect("the worker");
        let report = env.follow_up(&mut worker).await.expect("a report");
        assert_eq!(report["errors"], json!([]), "{report}");
        states.push(env.state(&id).await.expect("a state"));
    }
    assert_eq!(
        states,
        [DecisionState::Deferred, DecisionState::Deferred, DecisionState::Requested, DecisionState::Isolated]
    );
    assert_isolated_once(&env, &id, 1).await;
    assert_eq!(env.held_permits().expect("permits").len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn unavailable_queue_loses_no_decision() {
    let env = test_env(1).await;
    let queue = Queue::start().await.expect("a queue");
    let webhook = FunctionUrl::start(with_queue(&queue, env.webhook()), 1).await.expect("the webhook");
    let http = reqwest::Client::new();
    let delivery = Delivery::isolate("1", &hostname(1));

    queue.fail_next_sends(usize::MAX);
    let refused = delivery.request(&http, &webhook.url()).send().await.expect("a response");
    assert_eq!(refused.status(), 503);
    let wait = refused.headers().get("retry-after").and_then(|wait| wait.to_str().ok()?.parse::<u64>().ok());
    assert!(wait.is_some_and(|wait| (1..=60).contains(&wait)), "{:?}", refused.headers());
    let body = refused.text().await.expect("a body");
    assert!(queue.send_requests() > 1 && queue.messages().is_empty());
    assert!(!body.contains("iso-") && !body.contains(&queue.url()), "{body}");

    queue.fail_next_sends(0);
    let (status, response) = delivery.send(&http, &webhook.url()).await.expect("a response");
    assert_eq!(status, 200, "its decision was begun before: {response}");
    assert_eq!(queue.messages().len(), 1);
    let worker = EventSource::new(&queue, env.worker(), 1, 10).await.expect("the worker");
    assert_eq!(worker.drain().await.handled, 1);
    assert_isolated_once(&env, &parse_decision_id(&response).expect("a decision"), 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn follow_up_processes_a_decision_with_a_lost_message() {
    let env = test_env(1).await;
    let queue = Queue::start().await.expect("a queue");
    let webhook = FunctionUrl::start(with_queue(&queue, env.webhook()), 1).await.expect("the webhook");
    queue.fail_next_sends(usize::MAX);
    let http = reqwest::Client::new();
    let (status, _) =
        Delivery::isolate("1", &hostname(1)).send(&http, &webhook.url()).await.expect("a response");
    assert_eq!(status, 503);
    // The sender does not send again.
    let mut worker = env.worker().start().await.expect("the worker");
    let scheduled = json!({ "detail-type": "Scheduled Event", "source": "aws.events" });
    let InvocationOutcome::Ok(report) = worker.invoke(&scheduled).await else {
        panic!("{:?}", worker.logs())
    };
    assert_eq!(report["due"], 0, "the queue gets its time");
    env.advance_ledger_time(Duration::from_secs(120)).expect("the ledger's files");
    let InvocationOutcome::Ok(report) = worker.invoke(&scheduled).await else {
        panic!("{:?}", worker.logs())
    };
    assert_eq!(report["transitions"], json!({ "requested": 1 }), "{report}");
    let records: Vec<Value> =
        worker.logs().iter().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let moved = records.iter().find(|record| record["event"] == "decisions_moved").expect("a log record");
    assert_eq!((&moved["state"], &moved["count"]), (&json!("requested"), &json!(1)), "{moved}");
    let id = DecisionId::from_event_id("soar", "[\"1\"]");
    assert_isolated_once(&env, &id, 1).await;
}

async fn deliver(webhook: &FunctionUrl, delivery: &Delivery) -> (u16, Value) {
    delivery.send(&reqwest::Client::new(), &webhook.url()).await.expect("a response")
}

#[tokio::test(flavor = "multi_thread")]
async fn unavailable_ledger_returns_503_to_the_sender() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut env = test_env(1).await;
    let s3 = S3Server::start(folder.path()).await.expect("an S3 server");
    env.use_s3_ledger(&s3);
    let port = ClosedPort::bind().expect("a port");
    let webhook = s3.configure(env.webhook()).env("AWS_ENDPOINT_URL_S3", port.url());
    let webhook = FunctionUrl::start(webhook, 1).await.expect("the webhook");
    let delivery = Delivery::isolate("1", &hostname(1));
    let (status, response) = deliver(&webhook, &delivery).await;
    assert_eq!((status, response["decision"].as_str()), (503, None), "{response}");

    let webhook = FunctionUrl::start(s3.configure(env.webhook()), 1).await.expect("the webhook");
    let (status, response) = deliver(&webhook, &delivery).await;
    assert_eq!(status, 202, "{response}");
    assert_isolated_once(&env, &parse_decision_id(&response).expect("a decision"), 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ledger_failure_midway_loses_no_decision() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut env = test_env(1).await;
    let s3 = S3Server::start(folder.path()).await.expect("an S3 server");
    env.use_s3_ledger(&s3);
    let webhook = FunctionUrl::start(s3.configure(env.webhook()), 1).await.expect("the webhook");
    let delivery = Delivery::isolate("1", &hostname(1));
    // The first object of the webhook fails from now on, and all that depend on it.
    s3.set_trap(Some(S3Trap::FailObject(1)));
    let (status, response) = deliver(&webhook, &delivery).await;
    assert_eq!(status, 503, "{response}");
    assert!(env.simulator.isolation_changes().is_empty());
    s3.set_trap(None);
    let (status, response) = deliver(&webhook, &delivery).await;
    assert!(matches!(status, 200 | 202), "{status} {response}");
    assert_isolated_once(&env, &parse_decision_id(&response).expect("a decision"), 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn invalid_message_does_not_affect_others() {
    let env = test_env(2).await;
    let queue = Queue::start().await.expect("a queue");
    queue.set_max_receive_count(Some(2));
    let webhook = FunctionUrl::start(with_queue(&queue, env.webhook()), 1).await.expect("the webhook");
    let unknown = json!({ "decision": "iso-0123456789abcdef01234567" }).to_string();
    let mut poison =
        vec![queue.send("not JSON"), queue.send(unknown), queue.send("{\"decision\":\"../..\"}")];
    let mut ids = Vec::new();
    for number in 1..=2 {
        let delivery = Delivery::isolate(&format!("event-{number}"), &hostname(number));
        let (status, response) = deliver(&webhook, &delivery).await;
        assert_eq!(status, 202, "{response}");
        ids.push(parse_decision_id(&response).expect("a decision"));
    }
    let worker = EventSource::new(&queue, env.worker(), 1, 10).await.expect("the worker");
    let drained = worker.drain().await;
    assert_eq!((drained.handled, drained.returned), (2, 3), "{drained:?}");
    queue.make_visible();
    let drained = worker.drain().await;
    assert_eq!((drained.handled, drained.returned), (0, 3), "{drained:?}");
    queue.make_visible();
    assert_eq!(worker.drain().await.batches, 0);
    let mut dead: Vec<_> = queue.dead_letters().into_iter().map(|message| message.id).collect();
    dead.sort_unstable();
    poison.sort_unstable();
    assert_eq!(dead, poison);
    for (number, id) in (1..).zip(ids) {
        assert_isolated_once(&env, &id, number).await;
    }
}
