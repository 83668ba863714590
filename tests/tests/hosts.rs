//! The component in its hosts: Node and Python, over WASI's HTTP and their own.

use std::net::TcpListener;

use end_to_end::hosts::{Host, Language, Outcome, Plan, TENANT};
use serde_json::{Value, json};
use sophos_simulator::{Config, FaultAction, FaultPlan, FaultRule, RetryAfter, Simulator, TenantState};

const ACME: &str = "0afef0e6-5df7-4cc0-b8d4-068cfd6820d1";

async fn simulator() -> Simulator {
    let config = format!(
        r#"
        [clock]
        start = "2026-01-15T12:00:00Z"

        [[tenants]]
        name = "Acme"
        id = "{ACME}"
        endpoints = 23
        alerts_total = 30

        [[tenants]]
        count = 120
        endpoints = 1

        [[credentials]]
        kind = "partner"

        [data]
        offline_share = 0.0
        "#
    );
    Simulator::start(Config::from_toml(&config).expect("a configuration")).await.expect("a simulator")
}

async fn ok(host: &mut Host, function: &str, arguments: Value) -> Value {
    match host.call(function, arguments).await.expect("the host answers") {
        Outcome::Ok(value) => value,
        other => panic!("{:?}, {function}: {other:?}", host.language()),
    }
}

async fn failure(host: &mut Host, function: &str, arguments: Value) -> Value {
    match host.call(function, arguments).await.expect("the host answers") {
        Outcome::Failure(failure) => failure,
        other => panic!("{:?}, {function}: {other:?}", host.language()),
    }
}

/// The pages of a listing.
async fn pages(host: &mut Host, function: &str, arguments: impl Fn(&Value) -> Value) -> Vec<Value> {
    let mut pages = Vec::new();
    let mut after = Value::Null;
    loop {
        let page = ok(host, function, arguments(&after)).await;
        after = page["next"].clone();
        pages.push(page);
        if after.is_null() {
            return pages;
        }
    }
}

fn ids(pages: &[Value], items: &str) -> Vec<String> {
    let items = pages.iter().flat_map(|page| page[items].as_array().into_iter().flatten());
    let mut ids: Vec<_> = items.map(|item| item["id"].as_str().expect("an id").to_owned()).collect();
    ids.sort();
    ids.dedup();
    ids
}

/// Everything that must hold, in one process of a host, each time in another
/// instance.
async fn all_hold(language: Language) {
    let simulator = simulator().await;
    let Some(mut host) = Host::start(language, &Plan::of(&simulator)).await.expect("the host starts") else {
        return;
    };
    let host = &mut host;
    a_host_lists_pages_and_reads(host).await;
    an_isolation_is_asked_for_and_takes_effect(host).await;
    failures_are_told_by_what_can_be_done(host).await;
    a_stale_token_is_replaced_or_told(host).await;
    no_connection_and_no_permission_are_told_apart(host).await;
    a_request_that_hangs_ends_by_the_components_own_deadline(host).await;
    a_reader_cannot_change_an_estate(host).await;
    a_component_has_clock_http_and_credentials_and_nothing_else(host).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn node_over_wasi() {
    all_hold(Language::Node).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn node_over_its_own_fetch_without_blocking() {
    all_hold(Language::NodeAsync).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn python_over_wasi() {
    all_hold(Language::Python).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn python_over_its_own_http() {
    all_hold(Language::PythonEmbedded).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rust_over_wasi() {
    all_hold(Language::Rust).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rust_over_its_own_transport() {
    all_hold(Language::RustEmbedded).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_is_good_in_another_instance_and_another_language() {
    let simulator = simulator().await;
    let mut after = Value::Null;
    let mut seen = Vec::new();
    let mut hosts = 0;
    for language in Language::ALL {
        let host = Host::start(language, &Plan::of(&simulator)).await.expect("the host starts");
        let Some(mut host) = host else { continue };
        let host = &mut host;
        hosts += 1;
        ok(host, "tenants.open", json!([ACME])).await;
        let page = ok(host, "endpoints.search", json!([TENANT, [], {"after": after, "size": 3}])).await;
        after = page["next"].clone();
        seen.extend(ids(&[page], "endpoints"));
        let filter = json!([{"tag": "health", "val": ["bad"]}]);
        let wrong = failure(host, "endpoints.search", json!([TENANT, filter, {"after": after}])).await;
        assert_eq!(wrong["reason"]["tag"], "invalid");
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 3 * hosts);
}

async fn a_host_lists_pages_and_reads(host: &mut Host) {
    let simulator = simulator().await;
    host.open(&Plan::of(&simulator)).await.expect("a session");
    let language = host.language();
    let who = ok(host, "session.whoami", json!([])).await;
    assert_eq!(who["kind"], "partner", "{language:?}");

    let tenants = pages(host, "tenants.reachable", |after| json!([after])).await;
    assert_eq!(tenants.len(), 2, "{language:?}: a hundred a page");
    assert_eq!(ids(&tenants, "tenants").len(), 121, "{language:?}");

    let tenant = ok(host, "tenants.open", json!([ACME])).await;
    assert_eq!((&tenant["id"], &tenant["name"]), (&json!(ACME), &json!("Acme")), "{language:?}");

    let endpoints =
        pages(host, "endpoints.search", |after| json!([TENANT, [], {"after": after, "size": 10}])).await;
    assert_eq!((endpoints.len(), ids(&endpoints, "endpoints").len()), (3, 23), "{language:?}");
    let first = &endpoints[0]["endpoints"][0];
    let raw: Value = serde_json::from_str(first["raw"].as_str().expect("text")).expect("JSON");
    assert_eq!(first["hostname"], raw["hostname"], "{language:?}");
    assert_eq!(first["ipv4-addresses"], raw["ipv4Addresses"], "{language:?}");
    let again = ok(host, "endpoints.get", json!([TENANT, first["id"]])).await;
    assert_eq!(again["serial-number"], raw["serialNumber"], "{language:?}");

    let alerts =
        pages(host, "alerts.search", |after| json!([TENANT, [], {"after": after, "size": 20}])).await;
    assert_eq!(ids(&alerts, "alerts").len(), 30, "{language:?}");

    let events = ok(host, "events.read", json!([TENANT, {"tag": "oldest"}, {"size": 200}])).await;
    assert_eq!(events["events"].as_array().map(Vec::len), Some(200), "{language:?}");
    let place = json!({"tag": "after", "val": events["next"]});
    let more = ok(host, "events.read", json!([TENANT, place, {}])).await;
    assert_ne!(more["events"][0]["id"], events["events"][0]["id"], "{language:?}");

    let health = ok(host, "account-health.examine", json!([TENANT, []])).await;
    assert!(health["checks"].as_array().is_some_and(|checks| !checks.is_empty()), "{language:?}");
}

async fn an_isolation_is_asked_for_and_takes_effect(host: &mut Host) {
    let simulator = simulator().await;
    host.open(&Plan::of(&simulator)).await.expect("a session");
    let language = host.language();
    ok(host, "tenants.open", json!([ACME])).await;
    let page = ok(host, "endpoints.search", json!([TENANT, [], {}])).await;
    let endpoint = &page["endpoints"][0]["id"];
    let asked = json!([TENANT, [endpoint], "a test of the component"]);
    let accepted = ok(host, "containment.isolate", asked.clone()).await;
    assert_eq!(accepted, json!({"ids": [endpoint], "passed-over": []}), "{language:?}");

    let state = ok(host, "isolation.inspect", json!([TENANT, endpoint])).await;
    assert_eq!((&state["requested"], &state["reported"]), (&json!(true), &json!(false)), "{language:?}");
    let busy = failure(host, "containment.release", asked).await;
    assert_eq!((&busy["reason"]["tag"], &busy["status"]), (&json!("conflict"), &json!(409)), "{language:?}");

    simulator.clock().advance(std::time::Duration::from_secs(120));
    let state = ok(host, "isolation.inspect", json!([TENANT, endpoint])).await;
    assert_eq!((&state["requested"], &state["reported"]), (&json!(true), &json!(true)), "{language:?}");
    assert_eq!(state["comment"], "a test of the component", "{language:?}");
    assert!(state["isolated-at"].is_string(), "{language:?}");
}

async fn failures_are_told_by_what_can_be_done(host: &mut Host) {
    let simulator = simulator().await;
    let forbidden = simulator.tenants().into_iter().find(|tenant| tenant.id != ACME).expect("another").id;
    simulator.set_tenant_state(&forbidden, TenantState::Forbidden);
    let busy = FaultAction::throttle(Some(RetryAfter::Seconds(7)));
    simulator.set_faults(FaultPlan::new([FaultRule::new("alerts.search", busy)]));
    host.open(&Plan::of(&simulator)).await.expect("a session");
    let language = host.language();
    let limits = json!([{"call-ms": 20_000, "request-ms": 5_000, "attempts": 1}]);
    ok(host, "session.limit", limits.clone()).await;
    ok(host, "tenants.open", json!([ACME])).await;
    let late = failure(host, "session.limit", limits).await;
    assert_eq!(late["reason"]["tag"], "invalid", "{language:?}");

    let throttled = failure(host, "alerts.search", json!([TENANT, [], {}])).await;
    assert_eq!(throttled["reason"], json!({"tag": "throttled", "val": 7_000}), "{language:?}");
    assert_eq!((&throttled["status"], &throttled["transient"]), (&json!(429), &json!(true)), "{language:?}");

    let unknown = "00000000-0000-4000-8000-000000000000";
    let missing = failure(host, "endpoints.get", json!([TENANT, unknown])).await;
    assert_eq!(missing["reason"]["tag"], "not-found", "{language:?}");
    assert!(missing["request-id"].is_string() || missing["correlation-id"].is_string(), "{language:?}");

    ok(host, "tenants.open", json!([forbidden])).await;
    let denied = failure(host, "endpoints.search", json!([TENANT, [], {}])).await;
    assert_eq!(
        (&denied["reason"]["tag"], &denied["status"]),
        (&json!("forbidden"), &json!(403)),
        "{language:?}"
    );
}

async fn a_stale_token_is_replaced_or_told(host: &mut Host) {
    let simulator = simulator().await;
    let credential = &simulator.credentials()[0];
    let stale = json!({"tag": "token", "val": {"value": "stale", "expires-in": null}});
    let client = json!({"id": credential.client_id, "secret": credential.client_secret});
    let client = json!({"tag": "client", "val": client});
    let wrong = json!({"tag": "client", "val": {"id": credential.client_id, "secret": "wr0ng"}});
    host.open(&Plan::of(&simulator)).await.expect("a session");
    let language = host.language();
    for (needed, refused, reason) in [
        (&stale, &Value::Null, Some("credential-refused")),
        (&stale, &stale, Some("credential-refused")),
        (&stale, &client, None),
        (&wrong, &Value::Null, Some("credential-refused")),
        (&json!({"tag": "ambient"}), &Value::Null, Some("unauthorized")),
    ] {
        let plan = Plan { needed: needed.clone(), refused: refused.clone(), ..Plan::of(&simulator) };
        host.open(&plan).await.expect("another session");
        let outcome = host.call("tenants.reachable", json!([null])).await.expect("the host answers");
        let told = match &outcome {
            Outcome::Failure(failure) => failure["reason"]["tag"].as_str(),
            _ => None,
        };
        assert_eq!(told, reason, "{language:?}: {outcome:?}");
        let text = format!("{outcome:?}");
        assert!(!text.contains("stale") && !text.contains("wr0ng"), "{language:?}: {text}");
    }
}

async fn no_connection_and_no_permission_are_told_apart(host: &mut Host) {
    let simulator = simulator().await;
    // Nobody listens where a listener has just gone.
    let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port");
    let nowhere = format!("http://{port}");
    let one_attempt = json!([{"call-ms": 20_000, "request-ms": 5_000, "attempts": 1}]);
    let away = Plan { service: [nowhere.clone(), nowhere], ..Plan::of(&simulator) };
    host.open(&away).await.expect("a session");
    let language = host.language();
    ok(host, "session.limit", one_attempt.clone()).await;
    let refused = failure(host, "session.whoami", json!([])).await;
    assert_eq!(refused["reason"]["tag"], "unreachable", "{language:?}: {refused}");
    assert_eq!(refused["transient"], true, "{language:?}");
    let closed = Plan { allow: Vec::new(), ..Plan::of(&simulator) };
    host.open(&closed).await.expect("a session");
    let language = host.language();
    if language.is_restricted() {
        let blocked = failure(host, "session.whoami", json!([])).await;
        assert_eq!(blocked["reason"]["tag"], "blocked", "{language:?}: {blocked}");
    }
}

async fn a_request_that_hangs_ends_by_the_components_own_deadline(host: &mut Host) {
    let simulator = simulator().await;
    let slow = FaultAction::Slow { milliseconds: 60_000 };
    simulator.set_faults(FaultPlan::new([FaultRule::new("endpoints.list", slow)]));
    host.open(&Plan::of(&simulator)).await.expect("a session");
    let language = host.language();
    ok(host, "session.limit", json!([{"call-ms": 1_500, "request-ms": 500, "attempts": 1}])).await;
    ok(host, "tenants.open", json!([ACME])).await;
    let late = failure(host, "endpoints.search", json!([TENANT, [], {}])).await;
    assert_eq!(late["reason"]["tag"], "interrupted", "{language:?}: {late}");
}

async fn a_reader_cannot_change_an_estate(host: &mut Host) {
    let simulator = simulator().await;
    let plan = Plan { world: "reader", ..Plan::of(&simulator) };
    host.open(&plan).await.expect("a session");
    let language = host.language();
    ok(host, "tenants.open", json!([ACME])).await;
    for (function, arguments) in [
        ("containment.isolate", json!([TENANT, ["x"], "why"])),
        ("containment.release", json!([TENANT, ["x"], "why"])),
        ("alert-actions.act", json!([TENANT, "x", "acknowledge", null])),
    ] {
        let outcome = host.call(function, arguments).await.expect("the host answers");
        assert_eq!(outcome, Outcome::Absent, "{language:?}");
    }
    assert!(simulator.isolation_changes().is_empty());
}

async fn a_component_has_clock_http_and_credentials_and_nothing_else(host: &mut Host) {
    let simulator = simulator().await;
    host.open(&Plan::of(&simulator)).await.expect("a session");
    let language = host.language();
    let names = host.imports().iter().map(|import| import.split('@').next().unwrap_or(import).to_owned());
    // Types without a function are not offered, only named.
    let mut names: Vec<_> = names.filter(|name| name != "sophos:central/types").collect();
    names.sort();
    let expected = if language.is_embedded() {
        &["sophos:central/credentials", "sophos:central/transport"][..]
    } else {
        &[
            "sophos:central/credentials",
            "wasi:clocks/monotonic-clock",
            "wasi:http/outgoing-handler",
            "wasi:http/types",
            "wasi:io/error",
            "wasi:io/poll",
            "wasi:io/streams",
        ]
    };
    assert_eq!(names, expected, "{language:?}");
    ok(host, "session.whoami", json!([])).await;

    // A host that gives no grant: there is a secret in its environment.
    let none = Plan { needed: Value::Null, ..Plan::of(&simulator) };
    host.open(&none).await.expect("another session");
    let told = failure(host, "session.whoami", json!([])).await;
    assert_eq!(told["reason"]["tag"], "no-credential", "{language:?}");
    assert!(!told.to_string().contains("bait"), "{language:?}: {told}");
}
