//! Tests of tokens, identity, tenants and rejections.

mod common;

use std::time::Duration;

use common::*;
use serde_json::{Value, json};
use sophos_simulator::{
    Config, CredentialConfig, CredentialKind, Owner, Role, Simulator, TenantGroup, TenantState,
};

#[tokio::test]
async fn token_requests_are_granted_or_rejected() {
    let sim = Simulator::start(config()).await.unwrap();
    let c = credential(&sim, "partner", "super_admin");
    let good = request_token(&sim, &c.client_id, &c.client_secret, "token").await;
    assert_eq!(good.status, 200);
    let body = good.json();
    assert_eq!(body["errorCode"], "success");
    assert_eq!(body["message"], "OK");
    assert_eq!(body["token_type"], "bearer");
    assert_eq!(body["expires_in"], 3_600);
    assert_eq!(text(&body["refresh_token"]).len(), 64);
    assert_eq!(text(&body["access_token"]).split('.').count(), 3);
    assert_eq!(good.header("date"), Some("Thu, 15 Jan 2026 12:00:00 GMT"));
    assert_eq!(good.headers.get_all("date").iter().count(), 1);

    for (id, secret, scope, code) in [
        (c.client_id.as_str(), "wrong", "token", "oauth.invalid_client_secret"),
        ("unknown", "wrong", "token", "oauth.client_app_does_not_exist"),
        (&c.client_id, &c.client_secret, "all", "oauth.invalid_scope"),
    ] {
        let bad = request_token(&sim, id, secret, scope).await;
        assert_eq!(bad.status, 401);
        assert_eq!(bad.json()["errorCode"], code);
        assert!(bad.json().get("error").is_none());
    }

    let refresh = json!({
        "grant_type": "refresh_token",
        "client_id": c.client_id,
        "client_secret": c.client_secret,
        "refresh_token": body["refresh_token"],
    });
    let ask = || {
        let url = format!("{}/api/v2/oauth2/token", sim.identity_url());
        let request = http().post(url).header("content-type", "application/json");
        send(request.body(refresh.to_string()))
    };
    assert_eq!(ask().await.unwrap().status, 200);
    assert_eq!(ask().await.unwrap().status, 401);
}

#[tokio::test]
async fn credentials_can_be_rotated_and_expired() {
    let sim = Simulator::start(config()).await.unwrap();
    let c = credential(&sim, "tenant", "super_admin");
    let new = sim.rotate_secret(&c.client_id).unwrap();
    assert_ne!(new, c.client_secret);
    let old = request_token(&sim, &c.client_id, &c.client_secret, "token").await;
    assert_eq!(old.status, 401);
    assert_eq!(request_token(&sim, &c.client_id, &new, "token").await.status, 200);
    assert!(sim.expire_credential(&c.client_id));
    let ended = request_token(&sim, &c.client_id, &new, "token").await;
    assert_eq!((ended.status, ended.json()["message"].clone()), (401, json!("Unauthorized")));
    assert!(!sim.expire_credential("unknown"));

    let p = credential(&sim, "partner", "super_admin");
    sim.clock().advance(Duration::from_secs(3 * 366 * 86_400));
    assert_eq!(request_token(&sim, &p.client_id, &p.client_secret, "token").await.status, 401);
}

#[tokio::test]
async fn whoami_depends_on_the_credential_kind() {
    let sim = Simulator::start(config()).await.unwrap();
    let url = format!("{}/whoami/v1", sim.global_url());
    for kind in ["partner", "organization", "tenant"] {
        let client = Client::new(&sim, kind, "super_admin").await;
        let body = client.get(&url, None).await.json();
        assert_eq!(body["idType"], kind);
        assert_eq!(body["apiHosts"]["global"], sim.global_url());
        let principal = credential(&sim, kind, "super_admin").principal_id;
        if kind == "tenant" {
            assert_eq!(body["id"], principal);
            let tenant = sim.tenants().into_iter().find(|t| t.id == principal).unwrap();
            assert_eq!(body["apiHosts"]["dataRegion"], sim.region_url(&tenant.region).unwrap());
        } else {
            assert_eq!(body["id"], principal.to_uppercase());
            assert!(body["apiHosts"].get("dataRegion").is_none());
        }
    }
}

#[tokio::test]
async fn tenants_are_paged() {
    let mut config = config();
    config.quirks.no_api_host = 0.2;
    config.tenants = vec![
        TenantGroup::new(Owner::Partner, 230),
        TenantGroup::new(Owner::Both, 5),
        TenantGroup::new(Owner::Organization, 3),
        TenantGroup::new(Owner::Standalone, 1),
    ];
    let sim = Simulator::start(config).await.unwrap();
    let partner = Client::partner(&sim).await;
    let id = credential(&sim, "partner", "super_admin").principal_id.to_uppercase();
    let scope = Some(("X-Partner-ID", id.as_str()));
    let url = |rest: &str| format!("{}/partner/v1/tenants{rest}", sim.global_url());
    let mut seen = Vec::new();
    let mut without_host = 0;
    for page in 1..=3 {
        let body =
            partner.get(&url(&format!("?page={page}&pageSize=100&pageTotal=true")), scope).await.json();
        assert_eq!(body["pages"]["total"], 3);
        assert_eq!(body["pages"]["items"], 235);
        assert_eq!(body["pages"]["maxSize"], 100);
        without_host +=
            body["items"].as_array().unwrap().iter().filter(|i| i.get("apiHost").is_none()).count();
        seen.extend(ids(&body));
    }
    assert!((20..80).contains(&without_host));
    let mine = sim.tenants().into_iter().filter(|t| matches!(t.owner, Owner::Partner | Owner::Both));
    assert_eq!(seen, mine.map(|t| t.id).collect::<Vec<_>>());

    let beyond = partner.get(&url("?page=9"), scope).await;
    assert_eq!(beyond.status, 200);
    assert_eq!(beyond.json()["items"], json!([]));
    assert_eq!(beyond.json()["pages"]["total"], 5);
    let first = partner.get(&url(""), scope).await.json();
    assert_eq!(first["items"].as_array().unwrap().len(), 50);
    assert!(first["pages"].get("total").is_none());
    let one = partner.get(&url(&format!("/{}?fields=name", seen[7])), scope).await.json();
    assert_eq!(one.as_object().unwrap().len(), 2);
    assert_eq!(partner.get(&url("?page=0"), scope).await.status, 400);
    assert_eq!(partner.get(&url("/not-a-uuid"), scope).await.status, 400);
    assert_eq!(partner.get(&url(&format!("/{id}")), scope).await.status, 404);

    assert!(sim.set_tenant_state(&seen[0], TenantState::Removed));
    assert_eq!(partner.get(&url(&format!("/{}", seen[0])), scope).await.status, 404);

    let organization = Client::new(&sim, "organization", "super_admin").await;
    let org_id = credential(&sim, "organization", "super_admin").principal_id;
    let org_url = format!("{}/organization/v1/tenants", sim.global_url());
    let listed = organization.get(&org_url, Some(("X-Organization-ID", &org_id))).await.json();
    assert_eq!(listed["items"].as_array().unwrap().len(), 8);
    // The wrong kind, the wrong id, no header, no token.
    assert_eq!(organization.get(&url(""), scope).await.status, 403);
    assert_eq!(partner.get(&url(""), Some(("X-Partner-ID", &org_id))).await.status, 403);
    assert_eq!(partner.get(&url(""), None).await.status, 401);
    assert_eq!(send(http().get(url(""))).await.unwrap().status, 401);
}

#[tokio::test]
async fn regional_host_rejects_foreign_tenants() {
    let mut config = config();
    config.tenants = vec![
        TenantGroup { region: Some("eu01".into()), ..TenantGroup::new(Owner::Partner, 2) },
        TenantGroup { region: Some("eu01".into()), ..TenantGroup::new(Owner::Standalone, 1) },
    ];
    let sim = Simulator::start(config).await.unwrap();
    let client = Client::partner(&sim).await;
    let mut at = TenantClient::new(&sim, &client, 0);
    let events = "/siem/v1/events";
    assert_eq!(at.get(events).await.status, 200);

    let missing = client.get(&format!("{}{events}", at.host), None).await;
    assert_eq!((missing.status, missing.json()["error"].clone()), (401, json!("Unauthorized")));
    assert!(missing.json()["correlationId"].is_string());
    assert!(missing.text.contains("\n    \""), "four spaces");
    assert_eq!(at.get("/siem/v1/nothing").await.status, 404);
    assert_eq!(at.get("/nothing/v1/at-all").await.status, 404);
    assert_eq!(at.get("/partner/v1/tenants").await.status, 504);
    assert_eq!(at.send("PUT", events, json!({})).await.status, 405);

    let foreign =
        TenantClient { tenant: sim.tenants()[2].id.clone(), host: at.host.clone(), client: &client };
    let refused = foreign.get(events).await;
    assert_eq!((refused.status, refused.json()["message"].clone()), (403, json!("Forbidden")));
    assert!(refused.json()["createdAt"].is_string());
    let unknown = TenantClient { tenant: "0afef0e6-5df7-4cc0-b8d4-068cfd6820d1".into(), ..foreign };
    assert_eq!(unknown.get(events).await.status, 403);

    at.host = sim.region_url("us01").unwrap();
    assert_eq!(at.get(events).await.status, 401, "another region");
    at = TenantClient::new(&sim, &client, 0);

    sim.set_tenant_state(&at.tenant, TenantState::Forbidden);
    assert_eq!(at.get(events).await.status, 403);
    assert_eq!(at.get("/endpoint/v1/endpoints").await.status, 403);
    sim.set_tenant_state(&at.tenant, TenantState::AlertsDenied);
    assert_eq!(at.get("/common/v1/alerts").await.json()["message"], "Access is denied");
    assert_eq!(at.get("/endpoint/v1/endpoints").await.status, 200);
    sim.set_tenant_state(&at.tenant, TenantState::Active);

    for role in ["read_only", "forensics"] {
        let reader = Client::new(&sim, "partner", role).await;
        let reading = TenantClient::new(&sim, &reader, 0);
        let endpoint = ids(&reading.get_ok("/endpoint/v1/endpoints").await)[0].clone();
        let path = format!("/endpoint/v1/endpoints/{endpoint}/isolation");
        let refused = reading.send("PATCH", &path, json!({ "enabled": true })).await;
        assert_eq!((refused.status, refused.json()["message"].clone()), (403, json!("Access is denied")));
        assert!(refused.json().get("createdAt").is_none());
    }

    sim.clock().advance(Duration::from_secs(3_601));
    assert_eq!(at.get(events).await.status, 401, "the token has ended");
    let client = Client::partner(&sim).await;
    let at = TenantClient::new(&sim, &client, 0);
    assert_eq!(at.get(events).await.status, 200);
    sim.revoke_tokens();
    assert_eq!(at.get(events).await.status, 401);
}

#[tokio::test]
async fn error_bodies_vary_with_the_odd_errors_quirk() {
    let mut config = config();
    config.quirks.rare_error_forms = 0.5;
    let sim = Simulator::start(config).await.unwrap();
    let client = Client::partner(&sim).await;
    let at = TenantClient::new(&sim, &client, 0);
    let mut forms = std::collections::BTreeSet::new();
    for _ in 0..30 {
        let body = at.get("/siem/v1/events?limit=5").await.json();
        forms.insert(body.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" "));
        if let Some(code) = body.get("code") {
            assert_eq!(code, &Value::from(400));
        }
    }
    assert!(forms.len() >= 2, "{forms:?}");
}

#[tokio::test]
async fn limiter_rejects_calls_over_the_limit() {
    let mut config = config();
    config.limiter.per_minute = Some(3);
    config.limiter.retry_after = true;
    let sim = Simulator::start(config).await.unwrap();
    let client = Client::partner(&sim).await;
    let url = format!("{}/whoami/v1", sim.global_url());
    for _ in 0..3 {
        assert_eq!(client.get(&url, None).await.status, 200);
    }
    let refused = client.get(&url, None).await;
    assert_eq!((refused.status, refused.header("retry-after")), (429, Some("20")));
    sim.clock().advance(Duration::from_secs(20));
    assert_eq!(client.get(&url, None).await.status, 200);
}

#[tokio::test]
async fn configured_credentials_are_used() {
    let config = Config {
        credentials: vec![CredentialConfig {
            client_id: Some("me".into()),
            client_secret: Some("p&ss=wörd+".into()),
            ..CredentialConfig::new(CredentialKind::Partner, Role::Management)
        }],
        ..config()
    };
    let sim = Simulator::start(config).await.unwrap();
    assert_eq!(request_token(&sim, "me", "p&ss=wörd+", "token").await.status, 200);
    assert_eq!(sim.credentials().len(), 1);
    let bad = Config {
        credentials: vec![CredentialConfig::for_tenant("Nowhere Ltd", Role::ReadOnly)],
        ..Config::default()
    };
    let error = Simulator::start(bad).await.unwrap_err().to_string();
    assert!(error.contains("Nowhere Ltd"), "{error}");
}
