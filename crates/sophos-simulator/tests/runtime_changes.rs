//! Tests of changes at run time: tenants that move, appear and disappear, credentials that are
//! created and deleted, and the counts of the limiter.

mod common;

use std::time::Duration;

use common::*;
use serde_json::{Value, json};
use sophos_simulator::{
    Config, CredentialConfig, CredentialKind, Owner, Role, Simulator, TenantGroup, TenantState,
};

const EVENTS: &str = "/siem/v1/events";

async fn control_request(sim: &Simulator, method: &str, path: &str, body: Option<Value>) -> Reply {
    let client = Client::partner(sim).await;
    let url = format!("{}/control/{path}", sim.control_url());
    send(client.request(method, &url, None, body.as_ref())).await.expect("an answer")
}

/// A tenant's record from its partner and its organization: single, and in the list.
async fn tenant_records(sim: &Simulator, tenant: &str) -> Vec<Value> {
    let mut records = Vec::new();
    for (kind, header) in [("partner", "X-Partner-ID"), ("organization", "X-Organization-ID")] {
        let client = Client::new(sim, kind, "super_admin").await;
        let id = credential(sim, kind, "super_admin").principal_id;
        let url = format!("{}/{kind}/v1/tenants", sim.global_url());
        records.push(client.get(&format!("{url}/{tenant}"), Some((header, &id))).await.json());
        let listed = client.get(&url, Some((header, &id))).await.json();
        let mine = listed["items"].as_array().into_iter().flatten().find(|item| item["id"] == tenant);
        records.extend(mine.cloned());
    }
    records
}

#[tokio::test]
async fn tenant_can_move_to_another_region() {
    let config = Config {
        tenants: vec![
            TenantGroup { region: Some("eu01".into()), ..TenantGroup::new(Owner::Both, 1) },
            TenantGroup { region: Some("eu01".into()), ..TenantGroup::new(Owner::Both, 1) },
        ],
        ..config()
    };
    let sim = Simulator::start(config).await.unwrap();
    let client = Client::partner(&sim).await;
    let old = TenantClient::new(&sim, &client, 0);
    let neighbour = TenantClient::new(&sim, &client, 1);
    let (before, cursor) = old.collect_ids("events", 1_000, None).await;
    let endpoints = ids(&old.get_ok("/endpoint/v1/endpoints").await);
    let path = format!("/endpoint/v1/endpoints/{}/isolation", endpoints[0]);
    old.send("PATCH", &path, json!({ "enabled": true })).await;

    assert!(!sim.move_tenant(&old.tenant, "mars01"));
    assert!(!sim.move_tenant("0afef0e6-5df7-4cc0-b8d4-068cfd6820d1", "us01"));
    assert!(sim.move_tenant(&old.tenant, "us01"));
    let host = sim.region_url("us01").unwrap();
    let records = tenant_records(&sim, &old.tenant).await;
    assert_eq!(records.len(), 4);
    for record in records {
        assert_eq!(record["dataRegion"], "us01");
        assert_eq!(record["dataGeography"], "US");
        assert_eq!(record["apiHost"], host);
    }
    assert_eq!(sim.tenants()[0].region, "us01");

    // The response to a tenant of any other region.
    let never_there = TenantClient { tenant: neighbour.tenant.clone(), host: host.clone(), client: &client };
    for path in [EVENTS, "/common/v1/alerts", "/endpoint/v1/endpoints"] {
        assert_eq!(old.get(path).await.status, never_there.get(path).await.status);
        assert_eq!(old.get(path).await.status, 401);
    }
    assert_eq!(neighbour.get(EVENTS).await.status, 200);

    let new = TenantClient { tenant: old.tenant.clone(), host, client: &client };
    assert_eq!(new.collect_ids("events", 1_000, None).await.0, before);
    assert_eq!(ids(&new.get_ok("/endpoint/v1/endpoints").await), endpoints);
    assert_eq!(new.get_ok(&path).await["enabled"], true);
    sim.clock().advance(Duration::from_secs(1_800));
    let (after, _) = new.collect_ids("events", 200, Some(cursor)).await;
    assert_eq!(after, sim.produced("events", &new.tenant, START_MS + 1, sim.clock().now_ms() + 1));
    assert!(!after.is_empty());
}

#[tokio::test]
async fn whoami_returns_the_new_region_after_a_move() {
    let config = Config {
        tenants: vec![TenantGroup { region: Some("eu01".into()), ..TenantGroup::new(Owner::Standalone, 1) }],
        ..config()
    };
    let sim = Simulator::start(config).await.unwrap();
    let client = Client::new(&sim, "tenant", "super_admin").await;
    let tenant = sim.tenants()[0].id.clone();
    assert!(sim.move_tenant(&tenant, "us01"));
    let who = client.get(&format!("{}/whoami/v1", sim.global_url()), None).await.json();
    assert_eq!(who["apiHosts"]["dataRegion"], sim.region_url("us01").unwrap());
}

#[tokio::test]
async fn tenant_group_starts_in_its_configured_state() {
    let toml = format!(
        "clock = {{ start = \"{START}\" }}\n\
         [[tenants]]\nname = \"Old\"\nregion = \"eu01\"\n\
         [[tenants]]\nname = \"New\"\nregion = \"eu01\"\nstate = \"removed\"\n\
         [[tenants]]\nname = \"Shut\"\nregion = \"eu01\"\nstate = \"forbidden\"\n"
    );
    let sim = Simulator::start(Config::from_toml(&toml).unwrap()).await.unwrap();
    let client = Client::partner(&sim).await;
    let id = credential(&sim, "partner", "super_admin").principal_id;
    let url = format!("{}/partner/v1/tenants", sim.global_url());
    let names = async || {
        let page = client.get(&url, Some(("X-Partner-ID", &id))).await.json();
        page["items"].as_array().unwrap().iter().map(|item| text(&item["name"])).collect::<Vec<_>>()
    };
    let statuses = async || {
        let mut all = Vec::new();
        for number in 0..3 {
            all.push(TenantClient::new(&sim, &client, number).get(EVENTS).await.status);
        }
        all
    };
    assert_eq!(names().await, ["Old", "Shut"]);
    assert_eq!(statuses().await, [200, 403, 403]);
    assert!(sim.set_tenant_state(&sim.tenants()[1].id, TenantState::Active));
    assert_eq!(names().await, ["Old", "New", "Shut"]);
    assert_eq!(statuses().await, [200, 200, 403]);
}

#[tokio::test]
async fn credentials_can_be_created_and_deleted() {
    let sim = Simulator::start(config()).await.unwrap();
    let first = credential(&sim, "partner", "super_admin");
    let client = Client::partner(&sim).await;
    sim.clock().advance(Duration::from_secs(60));
    let wanted = CredentialConfig::new(CredentialKind::Partner, Role::SuperAdmin);
    let second = sim.add_credential(wanted.clone()).unwrap();
    assert_ne!(second.client_id, first.client_id);
    assert_eq!(second.principal_id, first.principal_id);
    assert_eq!(second.created_at, "2026-01-15T12:01:00.000Z");
    assert!(sim.credentials().contains(&second));

    // Both credentials work, and one outlives the other.
    let ask = async |of: &sophos_simulator::CredentialInfo| {
        request_token(&sim, &of.client_id, &of.client_secret, "token").await
    };
    assert_eq!((ask(&first).await.status, ask(&second).await.status), (200, 200));
    let refresh = ask(&first).await.json()["refresh_token"].clone();
    assert!(sim.remove_credential(&first.client_id.to_uppercase()));
    assert!(!sim.remove_credential(&first.client_id));
    let refused = ask(&first).await;
    assert_eq!(
        (refused.status, refused.json()["errorCode"].clone()),
        (401, json!("oauth.client_app_does_not_exist"))
    );
    let again = json!({
        "grant_type": "refresh_token",
        "client_id": first.client_id,
        "client_secret": first.client_secret,
        "refresh_token": refresh,
    });
    let url = format!("{}/api/v2/oauth2/token", sim.identity_url());
    let request = http().post(url).header("content-type", "application/json").body(again.to_string());
    assert_eq!(send(request).await.unwrap().status, 401);
    assert_eq!(TenantClient::new(&sim, &client, 0).get(EVENTS).await.status, 401, "its live token");
    let token = text(&ask(&second).await.json()["access_token"]);
    let client = Client { http: http(), token };
    assert_eq!(TenantClient::new(&sim, &client, 0).get(EVENTS).await.status, 200);
    assert!(!sim.credentials().contains(&first));
    assert_eq!((sim.rotate_secret(&first.client_id), sim.expire_credential(&first.client_id)), (None, false));

    // Ids are never reused, not even those of deleted credentials.
    for taken in [&first, &second] {
        let client_id = Some(taken.client_id.clone());
        let error = sim.add_credential(CredentialConfig { client_id, ..wanted.clone() }).unwrap_err();
        assert!(error.to_string().contains(&taken.client_id), "{error}");
    }
    let nowhere = CredentialConfig::for_tenant("Nowhere Ltd", Role::ReadOnly);
    assert!(sim.add_credential(nowhere).unwrap_err().to_string().contains("Nowhere Ltd"));
    let nobodys = CredentialConfig { tenant: None, ..CredentialConfig::for_tenant("", Role::ReadOnly) };
    assert!(sim.add_credential(nobodys).is_err());
}

#[tokio::test]
async fn limiter_counts_calls_per_credential() {
    let mut config = config();
    config.limiter.per_minute = Some(3);
    let sim = Simulator::start(config).await.unwrap();
    let (busy, idle) =
        (credential(&sim, "partner", "super_admin"), credential(&sim, "tenant", "super_admin"));
    let client = Client::partner(&sim).await;
    let url = format!("{}/whoami/v1", sim.global_url());
    for _ in 0..5 {
        client.get(&url, None).await;
    }
    sim.clock().advance(Duration::from_secs(30));
    client.get(&url, None).await;
    sim.clock().advance(Duration::from_secs(31));
    client.get(&url, None).await;
    assert_eq!(sim.throttled(), 2);
    let all = sim.limiter_counts();
    let counts = all[&busy.client_id];
    assert_eq!((counts.calls, counts.refused), (7, 2));
    assert_eq!((counts.max_per_second, counts.max_per_minute), (5, 6));
    assert!(!all.contains_key(&idle.client_id));
    let told = control_request(&sim, "GET", "rate-limits", None).await.json();
    assert_eq!(told, serde_json::to_value(&all).unwrap());
    control_request(&sim, "DELETE", "requests", None).await;
    assert_eq!(sim.throttled(), 0);
}

#[tokio::test]
async fn control_host_changes_tenants_and_credentials() {
    let sim = Simulator::start(config()).await.unwrap();
    let tenant = sim.tenants()[0].clone();
    let path = format!("tenants/{}", tenant.id);
    let moved =
        control_request(&sim, "POST", &path, Some(json!({ "region": "us01", "state": "forbidden" }))).await;
    assert_eq!((&moved.json()["region"], &moved.json()["state"]), (&json!("us01"), &json!("forbidden")));
    assert_eq!(sim.tenants()[0].region, "us01");
    let unknown =
        control_request(&sim, "POST", &path, Some(json!({ "region": "mars01", "state": "active" }))).await;
    assert_eq!(unknown.status, 404);
    assert_eq!(sim.tenants()[0].state, TenantState::Forbidden, "nothing is done by halves");

    let wanted =
        json!({ "kind": "tenant", "tenant": tenant.name, "role": "read_only", "client_id": "second" });
    let made = control_request(&sim, "POST", "credentials", Some(wanted.clone())).await.json();
    assert_eq!((&made["client_id"], &made["principal_id"]), (&json!("second"), &json!(tenant.id)));
    let secret = text(&made["client_secret"]);
    assert_eq!(request_token(&sim, "second", &secret, "token").await.status, 200);
    assert_eq!(control_request(&sim, "POST", "credentials", Some(wanted)).await.status, 400);
    assert_eq!(control_request(&sim, "DELETE", "credentials/second", None).await.status, 200);
    assert_eq!(control_request(&sim, "DELETE", "credentials/second", None).await.status, 404);
    assert_eq!(request_token(&sim, "second", &secret, "token").await.status, 401);
}
