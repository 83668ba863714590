//! Hostile requests to the component in its hosts: all are rejected, none ends the
//! instance, and no output contains a secret.

use end_to_end::isolation::{
    Delivery, ENFORCE_POLICY, HostServer, HostileRequest, IsolationEnv, forgeries, hostile_requests,
    hostile_sources, hostname, parse_decision_id, send_bytes,
};
use reqwest::Client;
use serde_json::json;
use sophos_isolation::DecisionState;
use sophos_simulator::{CredentialKind, FaultAction, FaultPlan, FaultRule};

use super::{component, deliver, simulator_config};

/// The statuses with which a host's server rejects invalid HTTP before the component
/// sees it.
const SERVER_ERROR_STATUSES: [u16; 6] = [400, 404, 411, 414, 431, 501];

const MACHINES: usize = 12;

async fn test_env() -> IsolationEnv {
    let policy = format!("{ENFORCE_POLICY}{}", hostile_sources());
    IsolationEnv::start(simulator_config(MACHINES), CredentialKind::Tenant, &policy)
        .await
        .expect("an environment")
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Node and Python with a host of the component: `cargo xtask test` runs it"]
async fn component_rejects_hostile_requests_in_python() {
    component_rejects_hostile_requests(HostServer::Python).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Node and Python with a host of the component: `cargo xtask test` runs it"]
async fn component_rejects_hostile_requests_in_node() {
    component_rejects_hostile_requests(HostServer::Node).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the host in Rust: `cargo xtask test --hosts rust` runs it"]
async fn component_rejects_hostile_requests_in_rust() {
    component_rejects_hostile_requests(HostServer::Rust).await;
}

async fn component_rejects_hostile_requests(server: HostServer) {
    let env = test_env().await;
    let Some(mut webhook) = component(&env, server).await else { panic!("the host is not available") };
    let mut outputs = Vec::new();
    let mut good = Vec::new();
    for (number, HostileRequest { description: what, bytes, statuses }) in (1..).zip(hostile_requests()) {
        let answer = send_bytes(webhook.url(), &bytes).await;
        let (status, answer) = answer.unwrap_or_else(|error| panic!("{server:?}, {what}: {error}"));
        // Python responds with HTTP/0.9 to invalid HTTP.
        let status = if status == 0 && answer.contains("Error code: 400") { 400 } else { status };
        let is_refused = statuses.contains(&status) || SERVER_ERROR_STATUSES.contains(&status);
        assert!(is_refused, "{server:?}, {what}: {status}, not one of {statuses:?}: {answer}");
        outputs.push(answer);
        if number % 10 == 0 {
            good.push(Delivery::isolate(&format!("event-{number}"), &hostname(number / 10)));
            let answer = deliver(&good[good.len() - 1], &webhook, 202).await;
            assert_eq!(
                env.state(&parse_decision_id(&answer).expect("one")).await.expect("one"),
                DecisionState::Requested
            );
        }
    }
    let begun = env.decisions().await.expect("decisions").len();
    let forgeries = forgeries(&hostname(MACHINES));
    for (what, forgery) in &forgeries {
        let (status, answer) = forgery.send(&Client::new(), webhook.url()).await.expect("a response");
        assert!([401, 404].contains(&status), "{server:?}, {what}: {status} {answer}");
        outputs.push(answer.to_string());
    }
    assert_eq!(env.decisions().await.expect("decisions").len(), begun);
    assert_eq!(env.simulator.isolation_changes().len(), good.len());
    deliver(&Delivery::isolate("last", &hostname(MACHINES)), &webhook, 202).await;

    let records = webhook.take_audit_records().await.expect("the audit log");
    assert!(records.len() > forgeries.len(), "the audit log has every request");
    assert!(records.iter().all(|record| record["status"] != json!(503)), "{records:?}");
    outputs.extend(records.iter().map(ToString::to_string));
    good.extend(forgeries.into_iter().map(|(_, forgery)| forgery));
    assert_no_secrets(&env, &webhook.outcomes().expect("outcomes"), outputs, &good);
}

/// Checks outputs, the ledger and the outcomes for secrets.
fn assert_no_secrets(
    env: &IsolationEnv,
    outcomes: &[serde_json::Value],
    mut outputs: Vec<String>,
    deliveries: &[Delivery],
) {
    outputs.extend(outcomes.iter().map(ToString::to_string));
    let objects = env.objects().expect("objects").into_values();
    outputs.extend(objects.map(|body| String::from_utf8_lossy(&body).into_owned()));
    for needle in env.secrets_to_find(deliveries) {
        assert_eq!(outputs.iter().find(|text| text.contains(&needle)), None, "{needle}");
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Node and Python with a host of the component: `cargo xtask test` runs it"]
async fn component_redacts_a_token_echoed_by_the_service() {
    for server in [HostServer::Python, HostServer::Node] {
        let env = test_env().await;
        let Some(mut webhook) = component(&env, server).await else { continue };
        let mut outputs = Vec::new();
        for (number, operation) in (1..).zip(["token", "endpoints.list", "isolation.bulk"]) {
            env.simulator.revoke_tokens();
            let echo = FaultRule::new(operation, FaultAction::Echo { status: 403 });
            env.simulator.set_faults(FaultPlan::new([echo]));
            let delivery = Delivery::isolate(&number.to_string(), &hostname(number));
            let (_, answer) = delivery.send(&Client::new(), webhook.url()).await.expect("a response");
            outputs.push(answer.to_string());
            let id = parse_decision_id(&answer).expect("a decision");
            let shown = webhook.call("get", json!([id])).await.expect("a decision").to_string();
            assert!(shown.contains("[redacted]"), "{server:?}, {operation}: {shown}");
            let longest = env.credential().client_secret.split(|c: char| !c.is_ascii_alphanumeric());
            let longest = longest.max_by_key(|part| part.len()).expect("a part");
            assert!(!shown.contains(longest) && !shown.contains("eyJhbGci"), "{server:?}: {shown}");
        }
        outputs.extend(
            webhook.take_audit_records().await.expect("the audit log").iter().map(ToString::to_string),
        );
        let objects: Vec<_> = env.objects().expect("objects").into_values().collect();
        outputs.extend(objects.iter().map(|body| String::from_utf8_lossy(body).into_owned()));
        outputs.extend(webhook.outcomes().expect("outcomes").iter().map(ToString::to_string));
        for needle in ["eyJhbGci", &env.credential().client_secret] {
            assert_eq!(outputs.iter().find(|text| text.contains(needle)), None, "{server:?}");
        }
    }
}
