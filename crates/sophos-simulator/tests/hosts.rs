//! Tests of the hosts: TLS beside plain HTTP, the control host, the program, the operations.

mod common;

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use common::*;
use serde_json::{Value, json};
use sophos_simulator::{Config, RequestScope, Route, Scheme, Simulator, routes};

#[tokio::test]
async fn port_accepts_plain_http_and_tls() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = config();
    config.advertise = Scheme::Https;
    config.tls_ca_file = Some(folder.path().join("ca.pem"));
    let sim = Simulator::start(config).await.unwrap();
    assert!(sim.global_url().starts_with("https://127.0.0.1:"));
    let pem = std::fs::read(folder.path().join("ca.pem")).unwrap();
    let ca = reqwest::Certificate::from_pem(&pem).unwrap();
    let secure = reqwest::Client::builder().no_proxy().tls_certs_only([ca]).build().unwrap();
    let https = format!("{}/whoami/v1", sim.global_url());
    let http_url = https.replacen("https", "http", 1);
    assert_eq!(send(secure.get(&https)).await.unwrap().status, 401);
    assert_eq!(send(http().get(&http_url)).await.unwrap().status, 401);
    let named = https.replace("127.0.0.1", "localhost");
    assert_eq!(send(secure.get(named)).await.unwrap().status, 401);
    assert!(send(http().get(&https)).await.is_err(), "other clients do not trust it");
}

#[tokio::test]
async fn dropping_the_simulator_closes_all_ports() {
    let sim = Simulator::start(config()).await.unwrap();
    let url = format!("{}/whoami/v1", sim.global_url());
    let client = http();
    assert_eq!(send(client.get(&url)).await.unwrap().status, 401);
    drop(sim);
    assert!(send(client.get(&url)).await.is_err());
}

#[tokio::test]
async fn control_host_supports_every_operation() {
    let sim = Simulator::start(one_tenant(60.0, 60.0, 5)).await.unwrap();
    let client = Client::partner(&sim).await;
    let at = TenantClient::new(&sim, &client, 0);
    let t = at.tenant.clone();
    let do_it = async |method: &str, path: &str, body: Option<Value>| {
        let url = format!("{}/control/{path}", sim.control_url());
        send(client.request(method, &url, None, body.as_ref())).await.unwrap()
    };
    let get = async |path: &str| do_it("GET", path, None).await;

    assert_eq!(get("urls").await.json(), serde_json::to_value(sim.addresses()).unwrap());
    assert_eq!(get("clock").await.json()["now"], "2026-01-15T12:00:00.000Z");
    do_it("POST", "clock", Some(json!({ "advance_seconds": 90 }))).await;
    assert_eq!(sim.clock().now_ms(), START_MS + 90_000);
    let set = do_it("POST", "clock", Some(json!({ "set": START }))).await;
    assert_eq!(set.json()["now_ms"], START_MS);
    assert_eq!(do_it("POST", "clock", Some(json!({ "set": "now" }))).await.status, 400);

    let plan = json!({ "rules": [{ "operation": "siem.events", "times": 1, "action": { "kind": "status", "status": 503 } }] });
    assert_eq!(do_it("PUT", "faults", Some(plan)).await.status, 200);
    assert_eq!(get("faults").await.json()["rules"][0]["action"]["status"], 503);
    assert_eq!(at.get("/siem/v1/events").await.status, 503);
    assert_eq!(do_it("DELETE", "faults", None).await.json()["rules"], json!([]));
    let bad = json!({ "rules": [{ "action": { "kind": "status", "status": 200 } }] });
    assert_eq!(do_it("PUT", "faults", Some(bad)).await.status, 400);

    let page = at.get_ok("/siem/v1/events").await;
    assert_eq!(get("requests").await.json()["by_operation"]["siem.events"], 2);
    assert_eq!(get("requests").await.json()["by_status"]["503"], 1);
    assert_eq!(do_it("DELETE", "requests", None).await.json()["total"], 0);
    let lines =
        |text: &str| -> Vec<String> { text.lines().map(|l| serde_json::from_str(l).unwrap()).collect() };
    let served = get(&format!("served?dataset=events&tenant={t}")).await;
    assert_eq!(lines(&served.text), ids(&page));
    assert_eq!(get("served/totals").await.json()["by_tenant"]["events"][&t], 200);
    let produced =
        get(&format!("records?dataset=events&tenant={t}&from=2026-01-15T10:00:00Z&to={START_MS}")).await;
    assert_eq!(lines(&produced.text), sim.produced("events", &t, START_MS - 7_200_000, START_MS));
    assert_eq!(do_it("DELETE", "served", None).await.json()["total"], json!({}));
    assert_eq!(get("records?dataset=nothing&tenant=x").await.status, 404);

    let gone = do_it("POST", &format!("tenants/{t}"), Some(json!({ "state": "forbidden" }))).await;
    assert_eq!(gone.json()["state"], "forbidden");
    assert_eq!(at.get("/siem/v1/events").await.status, 403);
    do_it("POST", &format!("tenants/{t}"), Some(json!({ "state": "active" }))).await;
    assert_eq!(get("tenants").await.json()[0]["state"], "active");

    let id = ids(&at.get_ok("/endpoint/v1/endpoints?online=true").await)[0].clone();
    do_it("POST", &format!("tenants/{t}/endpoints/{id}"), Some(json!({ "online": false }))).await;
    assert_eq!(at.get_ok(&format!("/endpoint/v1/endpoints/{id}")).await["online"], false);

    let c = get("credentials").await.json()[0].clone();
    let rotated = do_it("POST", &format!("credentials/{}/rotate", text(&c["client_id"])), None).await;
    assert_ne!(rotated.json()["client_secret"], c["client_secret"]);
    let ended = do_it("POST", &format!("credentials/{}/expire", text(&c["client_id"])), None).await;
    assert_eq!(ended.json()["expires_at"], "2026-01-15T12:00:00.000Z");
    assert_eq!(do_it("POST", "credentials/unknown/expire", None).await.status, 404);
    assert_eq!(do_it("POST", "tokens/revoke", None).await.status, 200);
    assert_eq!(at.get("/siem/v1/events").await.status, 401);
}

#[tokio::test]
async fn example_config_starts() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/simulator.toml");
    let config = Config::load(path).unwrap();
    assert_eq!(config.data, Config::default().data);
    assert_eq!(config.quirks, Config::default().quirks);
    assert_eq!(config.limiter, Config::default().limiter);
    let sim = Simulator::start(config).await.unwrap();
    assert_eq!(sim.tenants().len(), 22);
    assert!(sim.clock().now_ms() >= START_MS);
}

#[test]
fn program_prints_its_addresses() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_sophos-simulator"))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let addresses: Value = serde_json::from_str(&line).unwrap();
    assert!(text(&addresses["regions"]["eu01"]).starts_with("http://127.0.0.1:"));
    assert!(child.try_wait().unwrap().is_none(), "it goes on without input");
    let killed = Command::new("kill").arg(child.id().to_string()).status().unwrap();
    assert!(killed.success());
    assert!(child.wait().unwrap().success());

    let wrong = Command::new(env!("CARGO_BIN_EXE_sophos-simulator"))
        .args(["--config", "/nowhere/at/all.toml"])
        .output()
        .unwrap();
    assert!(!wrong.status.success());
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("/nowhere/at/all.toml"));
}

#[test]
#[ignore = "needs recorded material beside the checkout: `cargo xtask test` runs it where that is"]
fn every_route_is_a_published_operation() {
    let published = recorded("sophos/operations.json");
    let published = published.as_array().unwrap();
    // Operations beyond the published list; files are at pre-signed URLs.
    let unlisted = [
        "account_info.",
        "audit.",
        "business_automation.",
        "files.",
        "firewall_config.",
        "graphql",
        "migrations.settings",
        "packages.assign",
        "web_filters.",
    ];
    let is_listed = |route: &&Route| !unlisted.iter().any(|name| route.operation.starts_with(name));
    for route in routes().iter().filter(is_listed) {
        let found = published
            .iter()
            .find(|p| p["method"] == route.method && p["path"] == route.path)
            .unwrap_or_else(|| panic!("{} {} is not published", route.method, route.path));
        let is_scope =
            |name: &str| name.starts_with("X-") && name.ends_with("-ID") && name != "X-Correlation-ID";
        let scope = |header: &&Value| header.as_str().is_some_and(is_scope);
        let headers: Vec<&Value> = found["headers"].as_array().unwrap().iter().filter(scope).collect();
        match route.scope.header() {
            Some(header) if route.scope == RequestScope::TenantOrPartner => {
                assert_eq!(headers, [header, "X-Partner-ID"], "{}", route.path);
            }
            Some(header) => assert_eq!(headers, [header], "{}", route.path),
            None => assert!(headers.is_empty(), "{}", route.path),
        }
    }
}
