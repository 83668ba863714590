//! The webhook component behind other HTTP servers: the same behaviour and responses as
//! the Lambda function.

mod hostile;
mod responses;

use std::{fs, time::Duration};

use end_to_end::isolation::{
    ComponentWebhook, Delivery, ENFORCE_POLICY, HostServer, IsolationEnv, TENANT, hostname, machine_id,
    parse_decision_id, simulator_config, webhook_secret,
};
use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};
use sophos_isolation::{DecisionId, DecisionState};
use sophos_simulator::{Config, CredentialConfig, CredentialKind, Owner, Role, TenantGroup};
use tokio::{io::AsyncWriteExt, net::TcpStream};

/// [`ENFORCE_POLICY`] with further sources.
fn policy() -> String {
    format!(
        "{ENFORCE_POLICY}[sources.pd]\ntool = \"pagerduty\"\ntenants = [\"{TENANT}\"]\n\
         fields = {{ hostname = \"/event/data/title\" }}\n\
         verify = {{ scheme = \"signature\", secret = \"webhooks/pagerduty\" }}\n\
         [sources.okta]\ntool = \"okta\"\ntenants = [\"{TENANT}\"]\n\
         verify = {{ scheme = \"header\", secret = \"webhooks/okta\", header = \"Authorization\" }}\n\
         [sources.defender]\ntool = \"microsoft_defender\"\ntenants = [\"{TENANT}\"]\n\
         verify = {{ scheme = \"bearer\", secret = \"webhooks/defender\" }}\n\
         [sources.inside]\ntool = \"generic\"\ntenants = [\"{TENANT}\"]\nallow_from = [\"192.0.2.0/24\"]\n\
         verify = {{ scheme = \"signature\", secret = \"webhooks/generic\" }}\n"
    )
}

async fn test_env(policy: &str) -> IsolationEnv {
    IsolationEnv::start(simulator_config(4), CredentialKind::Tenant, policy).await.expect("an environment")
}

async fn component(env: &IsolationEnv, server: HostServer) -> Option<ComponentWebhook> {
    env.start_component(server, false).await.expect("the host starts")
}

fn pagerduty(machine: usize) -> Delivery {
    let body = json!({ "event": {
        "id": format!("01BWDWL3NYY7LUFPZCC28QUC{machine:02}"), "event_type": "incident.triggered",
        "resource_type": "incident", "occurred_at": jiff::Timestamp::now().to_string(),
        "data": {
            "id": "PGR0VU2", "type": "incident", "status": "triggered", "title": hostname(machine),
            "urgency": "high", "priority": { "summary": "P1" },
        },
    }});
    Delivery::pagerduty("pd", &body, webhook_secret("webhooks/pagerduty"))
}

async fn deliver(delivery: &Delivery, webhook: &ComponentWebhook, wanted: u16) -> Value {
    let (status, answer) = delivery.send(&Client::new(), webhook.url()).await.expect("a response");
    assert_eq!(status, wanted, "{}: {answer}", delivery.path);
    answer
}

/// Advances the time until the follow-up is due, and runs it.
async fn follow_up(env: &IsolationEnv, webhook: &mut ComponentWebhook) -> Value {
    env.advance_ledger_time(Duration::from_secs(120)).expect("the ledger's files");
    webhook.call("follow-up", json!(["due"])).await.expect("a report")
}

fn outcome_events(outcomes: &[Value], id: &DecisionId) -> Vec<String> {
    let of = outcomes.iter().filter(|outcome| outcome["decision"] == json!(id));
    of.map(|outcome| outcome["status"].as_str().expect("a word").to_owned()).collect()
}

/// Sends a request and returns the status, the relevant headers and the body.
async fn response_summary(request: RequestBuilder) -> Value {
    let answer = request.send().await.expect("a response");
    let header =
        |name: &str| answer.headers().get(name).map(|value| value.to_str().expect("text").to_owned());
    let names = [
        "content-type",
        "content-length",
        "cache-control",
        "x-content-type-options",
        "content-security-policy",
        "referrer-policy",
        "allow",
        "retry-after",
    ];
    let headers: Value = names.iter().map(|name| ((*name).to_owned(), json!(header(name)))).collect();
    json!({ "status": answer.status().as_u16(), "headers": headers, "body": answer.text().await.expect("text") })
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Node and Python with a host of the component: `cargo xtask test` runs it"]
async fn webhook_isolates_end_to_end_in_python() {
    webhook_isolates_end_to_end(HostServer::Python).await;
    responses::responses_match_the_lambda_function(HostServer::Python).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Node and Python with a host of the component: `cargo xtask test` runs it"]
async fn webhook_isolates_end_to_end_in_node() {
    webhook_isolates_end_to_end(HostServer::Node).await;
    responses::responses_match_the_lambda_function(HostServer::Node).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the host in Rust: `cargo xtask test --hosts rust` runs it"]
async fn webhook_isolates_end_to_end_in_rust() {
    webhook_isolates_end_to_end(HostServer::Rust).await;
    responses::responses_match_the_lambda_function(HostServer::Rust).await;
}

async fn webhook_isolates_end_to_end(server: HostServer) {
    let env = test_env(&policy()).await;
    let Some(mut webhook) = component(&env, server).await else { panic!("the host is not available") };
    let deliveries = [Delivery::isolate("42", &hostname(1)), pagerduty(2)];
    let mut ids = Vec::new();
    for delivery in &deliveries {
        let answer = deliver(delivery, &webhook, 202).await;
        let id = parse_decision_id(&answer).expect("a decision");
        assert_eq!(env.state(&id).await.expect("a state"), DecisionState::Requested);
        // The same event, in another instance.
        assert_eq!(deliver(delivery, &webhook, 200).await, answer);
        let records = webhook.take_audit_records().await.expect("the audit log");
        let [first, repeated] = &records[..] else { panic!("one record each") };
        assert_eq!((&first["created"], &first["duplicates"]), (&json!([id]), &json!([])));
        assert_eq!((&repeated["created"], &repeated["duplicates"]), (&json!([]), &json!([id])));
        assert_eq!(first["failures"], json!([]));
        ids.push(id);
    }
    let changes = env.simulator.isolation_changes();
    let changed: Vec<_> = changes.iter().map(|change| change.endpoint.clone()).collect();
    assert_eq!(changed, [machine_id(1), machine_id(2)]);

    let report = follow_up(&env, &mut webhook).await;
    assert_eq!(
        (&report["transitions"], &report["failures"]),
        (&json!([["isolated", 2]]), &json!([])),
        "{report}"
    );
    for id in &ids {
        let shown = webhook.call("get", json!([id])).await.expect("a decision");
        let shown: Value = serde_json::from_str(shown.as_str().expect("JSON")).expect("JSON");
        let mut kept = json!(env.decision(id).await.expect("a decision"));
        kept["state"] = json!("isolated");
        assert_eq!(shown, kept);
        assert_eq!(outcome_events(&webhook.outcomes().expect("outcomes"), id), ["requested", "isolated"]);
    }
    let outcome = &webhook.outcomes().expect("outcomes")[0];
    let all: Value = serde_json::from_str(outcome["details"].as_str().expect("JSON")).expect("JSON");
    assert_eq!((&all["tool"], &all["target"]["endpoint"]), (&json!("generic"), &json!(machine_id(1))));

    let state = webhook.call("release", json!([ids[0], "alice"])).await.expect("a state");
    assert_eq!(state, "release_requested");
    let report = webhook.call("follow-up", json!(["open"])).await.expect("a report");
    assert_eq!(report["transitions"], json!([["released", 1]]), "{report}");
    assert_eq!(env.state(&ids[0]).await.expect("a state"), DecisionState::Released);
    assert_eq!(env.state(&ids[1]).await.expect("a state"), DecisionState::Isolated);
    assert_eq!(
        webhook.call("get", json!(["iso-0123456789abcdef01234567"])).await.expect("none"),
        Value::Null
    );
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Node and Python with a host of the component: `cargo xtask test` runs it"]
async fn webhook_returns_503_when_the_ledger_is_unavailable() {
    let env = test_env(&policy()).await;
    let Some(mut webhook) = component(&env, HostServer::Python).await else {
        panic!("the host is not available")
    };
    let delivery = Delivery::isolate("1", &hostname(1));
    let ledger = env.folder().join("ledger");
    fs::write(&ledger, "not a folder").expect("a file in its place");
    let rejected = response_summary(delivery.request(&Client::new(), webhook.url())).await;
    assert_eq!((&rejected["status"], &rejected["headers"]["retry-after"]), (&json!(503), &json!("5")));
    let record = webhook.take_audit_records().await.expect("the audit log").pop().expect("a record");
    assert!(record["problem"].as_str().is_some_and(|why| why.contains("store")), "{record}");
    assert!(env.simulator.isolation_changes().is_empty());

    fs::remove_file(&ledger).expect("the file goes");
    deliver(&delivery, &webhook, 202).await;
    assert_eq!(env.simulator.isolation_changes().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Node and Python with a host of the component: `cargo xtask test` runs it"]
async fn webhook_keeps_serving_after_a_disconnect() {
    let env = test_env(&policy()).await;
    let Some(webhook) = component(&env, HostServer::Node).await else { panic!("the host is not available") };
    let address = webhook.url().trim_start_matches("http://");
    let head = "POST /hooks/soar HTTP/1.1\r\nhost: h\r\ncontent-type: application/json\r\n";
    // Within a body, and before the response.
    for rest in [
        "content-length: 9\r\n\r\n{",
        "transfer-encoding: chunked\r\n\r\n9\r\n{",
        "content-length: 2\r\n\r\n{}",
    ] {
        let mut caller = TcpStream::connect(address).await.expect("a connection");
        caller.write_all(format!("{head}{rest}").as_bytes()).await.expect("a request");
        caller.shutdown().await.expect("the end of it");
    }
    deliver(&Delivery::isolate("1", &hostname(1)), &webhook, 202).await;
    assert_eq!(env.simulator.isolation_changes().len(), 1);
    let decisions = env.decisions().await.expect("decisions");
    assert_eq!(decisions.len(), 1, "an incomplete request creates no decision");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Node and Python with a host of the component: `cargo xtask test` runs it"]
async fn policy_change_takes_effect_immediately() {
    let env = test_env(&policy().replace("mode = \"enforce\"\n", "")).await;
    // One instance, which caches the policy.
    let Some(webhook) = component(&env, HostServer::Node).await else { panic!("the host is not available") };
    let response = deliver(&Delivery::isolate("1", &hostname(1)), &webhook, 202).await;
    let id = parse_decision_id(&response).expect("a decision");
    assert_eq!(env.state(&id).await.expect("a state"), DecisionState::DryRun);
    assert!(env.simulator.isolation_changes().is_empty(), "a dry run");

    env.set_policy(&policy()).expect("a policy");
    deliver(&Delivery::isolate("2", &hostname(1)), &webhook, 202).await;
    assert_eq!(env.simulator.isolation_changes().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Node and Python with a host of the component: `cargo xtask test` runs it"]
async fn approval_link_approves_the_decision() {
    let approve = "approve = \"always\"\n[approve]\nsecret = \"isolation/approval\"\n";
    let env = test_env(&format!("{ENFORCE_POLICY}{approve}")).await;
    let Some(mut webhook) = component(&env, HostServer::Python).await else {
        panic!("the host is not available")
    };
    let mut waiting = Vec::new();
    for machine in 1..=3 {
        let answer =
            deliver(&Delivery::isolate(&machine.to_string(), &hostname(machine)), &webhook, 202).await;
        waiting.push(parse_decision_id(&answer).expect("a decision"));
    }
    let outcome = webhook.outcomes().expect("outcomes").remove(0);
    assert_eq!((&outcome["status"], &outcome["decision"]), (&json!("pending_approval"), &json!(waiting[0])));
    let link = outcome["approval-url"].as_str().expect("a link");
    assert!(link.starts_with(webhook.url()), "{link}");
    let details = outcome["details"].as_str().expect("JSON");
    for part in ["approval_url", "/approvals/"] {
        assert!(!details.contains(part), "the details have the link: {details}");
    }

    let http = Client::new();
    let page = response_summary(http.get(link)).await;
    assert_eq!((&page["status"], &page["headers"]["referrer-policy"]), (&json!(200), &json!("no-referrer")));
    assert!(page["body"].as_str().is_some_and(|page| page.contains(&hostname(1))), "{page}");
    assert!(env.simulator.isolation_changes().is_empty(), "a GET request approves nothing");
    let approved = response_summary(http.post(link).body("answer=approve")).await;
    assert!(approved["body"].as_str().is_some_and(|page| page.contains("Approved.")), "{approved}");
    assert_eq!(env.simulator.isolation_changes().len(), 1);

    // Without the link, through the component's export.
    for (id, word, state) in [(&waiting[1], "approve", "requested"), (&waiting[2], "decline", "declined")] {
        let state_after = webhook.call("answer-approval", json!([id, word, "bob"])).await.expect("a state");
        assert_eq!(state_after, state);
    }
    let rejected =
        webhook.call("answer-approval", json!([waiting[2], "approve", "bob"])).await.expect_err("too late");
    assert!(rejected.to_string().contains("the decision is declined"), "{rejected}");
    assert_eq!(env.simulator.isolation_changes().len(), 2);

    // The link authorizes its holder, so only the outcome contains it.
    let signature = link.rsplit_once('=').expect("a signature").1;
    let objects = env.objects().expect("objects").into_values();
    let mut outputs: Vec<_> = objects.map(|body| String::from_utf8_lossy(&body).into_owned()).collect();
    let records = webhook.take_audit_records().await.expect("the audit log");
    outputs.extend(records.iter().map(Value::to_string));
    assert_eq!(outputs.iter().find(|text| text.contains(signature)), None);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Node and Python with a host of the component: `cargo xtask test` runs it"]
async fn queued_decisions_are_processed_by_another_run() {
    let env = test_env(&policy()).await;
    let Some(mut webhook) = env.start_component(HostServer::Node, true).await.expect("the host starts")
    else {
        return;
    };
    let mut ids = Vec::new();
    for (delivery, machine) in [(Delivery::isolate("1", &hostname(1)), 1), (pagerduty(2), 2)] {
        let id = parse_decision_id(&deliver(&delivery, &webhook, 202).await).expect("a decision");
        assert_eq!(env.state(&id).await.expect("a state"), DecisionState::Received, "{machine}");
        ids.push(id);
    }
    let queued = webhook.queued_decisions().expect("decisions");
    assert_eq!(queued, [json!([ids[0]]), json!([ids[1]])]);
    assert!(env.simulator.isolation_changes().is_empty());

    let mut batch = json!([ids[0], ids[1], "iso-0123456789abcdef01234567", "../../etc/passwd"]);
    for _ in 0..2 {
        let mut results = webhook.call("process", json!([batch])).await.expect("what became of them");
        let results = results.as_array_mut().expect("a list");
        results.sort_by_key(|one| one["decision"].as_str().unwrap_or_default().to_owned());
        let found: Vec<_> =
            results.iter().map(|one| (one["decision"].clone(), one["state"].clone())).collect();
        for id in &ids {
            assert!(found.contains(&(json!(id), json!("requested"))), "{found:?}");
        }
        assert!(found.contains(&(json!("iso-0123456789abcdef01234567"), Value::Null)), "{found:?}");
        assert!(results[0]["failure"].as_str().is_some_and(|why| why.contains("iso-")), "{results:?}");
        batch.as_array_mut().expect("a list").rotate_left(1);
    }
    assert_eq!(env.simulator.isolation_changes().len(), 2);
    assert_eq!(env.simulator.calls().operation("isolation.bulk"), 1, "both in one");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Node and Python with a host of the component: `cargo xtask test` runs it"]
async fn partner_credential_isolates_in_all_its_tenants() {
    let other = "1bfef0e6-5df7-4cc0-b8d4-068cfd6820d2";
    let tenants = [TENANT, other].map(|id| TenantGroup {
        id: Some(id.into()),
        endpoints: Some(5),
        ..TenantGroup::new(Owner::Partner, 1)
    });
    let mut config = simulator_config(2);
    config.machines[1].tenant = other.into();
    let config = Config {
        tenants: tenants.into(),
        credentials: vec![CredentialConfig::new(CredentialKind::Partner, Role::SuperAdmin)],
        ..config
    };
    let policy = ENFORCE_POLICY.replace(&format!("[\"{TENANT}\"]"), &format!("[\"{TENANT}\", \"{other}\"]"));
    let env = IsolationEnv::start(config, CredentialKind::Partner, &policy).await.expect("an environment");
    let Some(webhook) = component(&env, HostServer::Python).await else {
        panic!("the host is not available")
    };
    for machine in [1, 2] {
        let answer =
            deliver(&Delivery::isolate(&machine.to_string(), &hostname(machine)), &webhook, 202).await;
        let decision =
            env.decision(&parse_decision_id(&answer).expect("a decision")).await.expect("a decision");
        let target = decision.target().expect("a target");
        assert_eq!(target.tenant, [TENANT, other][machine - 1]);
    }
    assert_eq!(env.simulator.isolation_changes().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Node and Python with a host of the component: `cargo xtask test` runs it"]
async fn inline_failure_is_recorded_and_retried_by_follow_up() {
    let env = test_env(&policy()).await;
    let Some(mut webhook) = component(&env, HostServer::Python).await else {
        panic!("the host is not available")
    };
    let outcomes = env.folder().join("outcomes.jsonl");
    fs::create_dir(&outcomes).expect("a folder in its place");
    let answer = deliver(&Delivery::isolate("1", &hostname(1)), &webhook, 202).await;
    let id = parse_decision_id(&answer).expect("a decision");
    assert_eq!(
        env.state(&id).await.expect("a state"),
        DecisionState::Requested,
        "a failed outcome does not block the isolation"
    );
    let record = webhook.take_audit_records().await.expect("the audit log").pop().expect("a record");
    let failure = record["failures"][0].as_str().unwrap_or_default();
    assert!(failure.starts_with(id.as_str()) && failure.contains("publishing the outcome"), "{record}");

    fs::remove_dir(&outcomes).expect("the folder goes");
    let report = follow_up(&env, &mut webhook).await;
    assert_eq!(report["failures"], json!([]), "{report}");
    assert_eq!(outcome_events(&webhook.outcomes().expect("outcomes"), &id), ["requested", "isolated"]);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Node and Python with a host of the component: `cargo xtask test` runs it"]
async fn isolation_resumes_after_the_credential_is_replaced() {
    let env = test_env(&policy()).await;
    let Some(webhook) = component(&env, HostServer::Python).await else {
        panic!("the host is not available")
    };
    env.simulator.remove_credential(&env.credential().client_id);
    let answer = deliver(&Delivery::isolate("1", &hostname(1)), &webhook, 202).await;
    let decision = env.decision(&parse_decision_id(&answer).expect("a decision")).await.expect("a decision");
    assert_eq!(decision.state(), DecisionState::Deferred, "{decision:#?}");
}
