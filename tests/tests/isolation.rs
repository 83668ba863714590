//! Tests from a tool's request to the isolated and released endpoint, with the built functions
//! and the simulator.

use end_to_end::isolation::{Delivery, IsolationEnv, parse_decision_id, unix_now, webhook_secret};
use local_lambda::FunctionUrl;
use serde_json::json;
use sophos_isolation::DecisionState;
use sophos_simulator::{
    ClockConfig, Config, CredentialConfig, CredentialKind, IsolationConfig, MachineConfig, Owner, Role,
    TenantGroup,
};

const TENANT: &str = "0afef0e6-5df7-4cc0-b8d4-068cfd6820d1";
const LAPTOP: &str = "11111111-2222-4333-8444-555555555555";

const POLICY: &str = r#"
version = 1
mode = "enforce"
[release]
after = "2s"
[limits]
estate_share = 1.0
[sources.soar]
tool = "generic"
tenants = ["0afef0e6-5df7-4cc0-b8d4-068cfd6820d1"]
verify = { scheme = "signature", secret = "webhooks/generic" }
"#;

fn config() -> Config {
    let tenant =
        TenantGroup { id: Some(TENANT.into()), endpoints: Some(5), ..TenantGroup::new(Owner::Standalone, 1) };
    let laptop = MachineConfig {
        id: Some(LAPTOP.into()),
        hostname: Some("LAPTOP-4711".into()),
        online: Some(true),
        ..MachineConfig::new(TENANT)
    };
    Config {
        clock: ClockConfig { start: None, running: true },
        tenants: vec![tenant],
        credentials: vec![CredentialConfig::for_tenant(TENANT, Role::SuperAdmin)],
        machines: vec![laptop],
        isolation: IsolationConfig { report_delay_seconds: 0 },
        ..Config::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn webhook_isolates_without_a_queue() {
    let env = IsolationEnv::start(config(), CredentialKind::Tenant, POLICY).await.expect("an environment");
    let webhook = FunctionUrl::start(env.webhook(), 1).await.expect("the webhook starts");
    let http = reqwest::Client::new();

    let body =
        json!({ "event_id": "42", "target": { "hostname": "laptop-4711.corp.example" }, "reason": "beacon" });
    let delivery = Delivery::generic("soar", &body, webhook_secret("webhooks/generic"), unix_now());
    let (status, response) = delivery.send(&http, &webhook.url()).await.expect("a response");
    assert_eq!(status, 202, "{response}\n{}", webhook.logs().join("\n"));
    let id = parse_decision_id(&response).expect("a decision");
    assert_eq!(env.state(&id).await.expect("a state"), DecisionState::Requested);
    let (status, again) = delivery.send(&http, &webhook.url()).await.expect("a response");
    assert_eq!((status, &again), (200, &response));

    let changes = env.simulator.isolation_changes();
    assert_eq!(changes.len(), 1, "{changes:?}");
    assert_eq!(changes[0].endpoint, LAPTOP);
    assert!(changes[0].comment.as_deref().is_some_and(|comment| comment.contains(id.as_str())));

    let mut worker = env.worker().start().await.expect("the worker starts");
    let report = env.follow_up(&mut worker).await.expect("a report");
    assert_eq!(report["transitions"]["isolated"], 1, "{report}");
}
