//! Tests of administrators, roles, the directory, access tokens and the audit log.

mod common;

use std::time::Duration;

use common::*;
use serde_json::{Value, json};
use sophos_simulator::Simulator;

const USERS: &str = "/common/v1/directory/users";
const GROUPS: &str = "/common/v1/directory/user-groups";

#[tokio::test]
async fn user_lives_from_creation_to_deletion() {
    let sim = Simulator::start(config()).await.unwrap();
    let client = Client::partner(&sim).await;
    let tenant = TenantClient::new(&sim, &client, 0);
    let new = json!({ "name": "Jo Doe", "email": "jo@example.com" });
    let made = tenant.send("POST", USERS, new.clone()).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let path = format!("{USERS}/{}", text(&made.json()["id"]));
    assert_eq!(tenant.send("POST", USERS, new).await.status, 409);
    assert_eq!(tenant.send("POST", USERS, json!({ "email": "x" })).await.status, 400);
    let found = tenant.get_ok(&format!("{USERS}?search=jo%40example&pageTotal=True")).await;
    assert_eq!((found["pages"]["items"].clone(), found["pages"]["current"].clone()), (json!(1), json!(1)));
    sim.clock().advance(Duration::from_secs(60));
    let changed = tenant.send("PATCH", &path, json!({ "lastName": "Doe" })).await.json();
    assert_eq!((&changed["lastName"], &changed["name"]), (&json!("Doe"), &json!("Jo Doe")));
    assert_ne!(changed["createdAt"], changed["updatedAt"]);
    assert_eq!(tenant.send("DELETE", &path, json!({})).await.json(), json!({ "deleted": true }));
    assert_eq!(tenant.get(&path).await.status, 404);
    assert_eq!(tenant.get(&format!("{USERS}/jo")).await.status, 400);
    assert_eq!(tenant.send("PUT", &path, json!({})).await.status, 405);
}

#[tokio::test]
async fn numbered_pages_cover_all_users_once() {
    let sim = Simulator::start(config()).await.unwrap();
    let client = Client::partner(&sim).await;
    let tenant = TenantClient::new(&sim, &client, 0);
    let all = ids(&tenant.get_ok(USERS).await);
    let mut paged = Vec::new();
    for page in 1..=3 {
        let page = tenant.get_ok(&format!("{USERS}?page={page}&pageSize=5&pageTotal=TRUE")).await;
        assert_eq!(page["pages"]["total"], 3);
        paged.extend(ids(&page));
    }
    assert_eq!(paged, all);
    let sorted = tenant.get_ok(&format!("{USERS}?sort=name:desc&fields=name&pageSize=500")).await;
    let names: Vec<String> = sorted["items"].as_array().unwrap().iter().map(|u| text(&u["name"])).collect();
    assert!(names.windows(2).all(|pair| pair[0].to_lowercase() >= pair[1].to_lowercase()), "{names:?}");
    assert_eq!(sorted["pages"]["maxSize"], 100);
    assert_eq!(sorted["items"][0].as_object().unwrap().len(), 2);
    for wrong in ["page=0", "pageSize=0", "pageTotal=maybe", "sourceType=none", "searchFields=x&search=a"] {
        assert_eq!(tenant.get(&format!("{USERS}?{wrong}")).await.status, 400, "{wrong}");
    }
    assert_eq!(tenant.get(&format!("{USERS}?unknown=1")).await.status, 200);
}

#[tokio::test]
async fn memberships_agree_on_both_sides() {
    let sim = Simulator::start(config()).await.unwrap();
    let client = Client::partner(&sim).await;
    let tenant = TenantClient::new(&sim, &client, 0);
    let users = ids(&tenant.get_ok(&format!("{USERS}?sourceType=custom")).await);
    let synced = ids(&tenant.get_ok(&format!("{GROUPS}?sourceType=activeDirectory")).await);
    let group = tenant.send("POST", GROUPS, json!({ "name": "Pilots" })).await.json();
    let group = format!("{GROUPS}/{}", text(&group["id"]));
    let added = tenant.send("POST", &format!("{group}/users"), json!({ "ids": [users[0]] })).await;
    assert_eq!((added.status, &added.json()["addedUsers"][0]["id"]), (201, &json!(users[0])));
    let groups = tenant.get_ok(&format!("{USERS}/{}/groups?search=pilots", users[0])).await;
    assert_eq!(groups["items"].as_array().unwrap().len(), 1);
    assert_eq!(tenant.send("DELETE", &group, json!({})).await.status, 409);
    let unknown = "a1b2c3d4-e5f6-4a7b-8c9d-0e1f2a3b4c5d";
    let path = format!("{group}/users?ids={},{unknown}", users[0]);
    let removed = tenant.send("DELETE", &path, json!({})).await.json();
    assert_eq!(removed["errors"]["usersNotFound"], json!([unknown]));
    assert_eq!(tenant.send("DELETE", &group, json!({})).await.status, 200);
    let path = format!("{GROUPS}/{}/users", synced[0]);
    assert_eq!(tenant.send("POST", &path, json!({ "ids": [users[0]] })).await.status, 409);
}

#[tokio::test]
async fn last_super_admin_keeps_its_role() {
    let sim = Simulator::start(config()).await.unwrap();
    let client = Client::partner(&sim).await;
    let tenant = TenantClient::new(&sim, &client, 0);
    let roles = tenant.get_ok("/common/v1/roles?principalType=user").await;
    let role = |name: &str| {
        let all = roles["items"].as_array().unwrap();
        text(&all.iter().find(|role| role["name"] == name).unwrap()["id"])
    };
    let first = ids(&tenant.get_ok(&format!("/common/v1/admins?roleId={}", role("Super Admin"))).await);
    assert_eq!(first.len(), 1);
    let last = format!("/common/v1/admins/{}", first[0]);
    assert_eq!(tenant.send("DELETE", &last, json!({})).await.status, 409);
    let assignments = format!("{last}/role-assignments");
    let demoted = tenant.send("POST", &assignments, json!({ "roleId": role("Read-only") })).await;
    assert_eq!(demoted.status, 409);
    let users = ids(&tenant.get_ok(USERS).await);
    let new = json!({ "userId": users[5], "roleAssignments": [{ "roleId": role("Super Admin") }] });
    assert_eq!(tenant.send("POST", "/common/v1/admins", new).await.status, 201);
    assert_eq!(tenant.send("POST", &assignments, json!({ "roleId": role("Read-only") })).await.status, 201);
    assert_eq!(tenant.get_ok(&assignments).await["items"].as_array().unwrap().len(), 1);
    assert_eq!(tenant.send("DELETE", &last, json!({})).await.status, 200);
    let used = format!("/common/v1/roles/{}", role("Super Admin"));
    assert_eq!(tenant.send("DELETE", &used, json!({})).await.status, 403);
}

#[tokio::test]
async fn partner_creates_a_tenant_that_serves_calls() {
    let sim = Simulator::start(config()).await.unwrap();
    let client = Client::partner(&sim).await;
    let partner = credential(&sim, "partner", "super_admin").principal_id;
    let url = format!("{}/partner/v1/tenants", sim.global_url());
    let body = json!({
        "name": "Fresh", "dataGeography": "US", "billingType": "trial",
        "contact": { "firstName": "A", "lastName": "B", "email": "a@example.com",
            "address": { "address1": "1 Street", "city": "Oxford", "countryCode": "GB" } },
    });
    let create = || client.request("POST", &url, Some(("X-Partner-ID", &partner)), Some(&body));
    let made = send(create()).await.unwrap();
    assert_eq!((made.status, &made.json()["dataRegion"]), (201, &json!("us01")), "{}", made.text);
    assert_eq!(send(create()).await.unwrap().status, 409);
    assert!(sim.tenants().iter().any(|tenant| tenant.name == "Fresh"));
    let tenant = TenantClient::new(&sim, &client, sim.tenants().len() - 1);
    assert_eq!(tenant.get_ok("/endpoint/v1/endpoints").await["items"], json!([]));
    assert_eq!(tenant.get(USERS).await.status, 200);
}

#[tokio::test]
async fn read_only_credentials_change_nothing() {
    let sim = Simulator::start(config()).await.unwrap();
    let client = Client::new(&sim, "partner", "read_only").await;
    let tenant = TenantClient::new(&sim, &client, 0);
    assert_eq!(tenant.get(USERS).await.status, 200);
    assert_eq!(tenant.send("POST", USERS, json!({ "name": "X" })).await.status, 403);
}

#[tokio::test]
async fn audit_log_has_each_change_for_90_days() {
    let sim = Simulator::start(config()).await.unwrap();
    let client = Client::partner(&sim).await;
    let tenant = TenantClient::new(&sim, &client, 0);
    for name in ["One", "Two", "Three"] {
        assert_eq!(tenant.send("POST", GROUPS, json!({ "name": name })).await.status, 201);
    }
    assert_eq!(tenant.send("POST", GROUPS, json!({ "name": "One" })).await.status, 409);
    let url = format!("{}/audit/v1/audit-events", sim.global_url());
    let scope = Some(("X-Tenant-ID", tenant.tenant.as_str()));
    for wrong in ["", "?startDate=2026-01-15"] {
        assert_eq!(client.get(&format!("{url}{wrong}"), scope).await.status, 400);
    }
    let query = "?startDate=2026-01-01T00:00:00Z&pageSize=2";
    let page = client.get(&format!("{url}{query}"), scope).await.json();
    let names = |page: &Value| -> Vec<String> {
        page["items"].as_array().unwrap().iter().map(|event| text(&event["objectName"])).collect()
    };
    assert_eq!(names(&page), ["One", "Two"]);
    assert_eq!(page["items"][0]["type"], "user_groups.create");
    let next = text(&page["pages"]["nextKey"]);
    let page = client.get(&format!("{url}{query}&pageFromKey={next}"), scope).await.json();
    assert_eq!(names(&page), ["Three"]);
    assert!(page["pages"].get("nextKey").is_none());
    assert_eq!(client.get(&format!("{url}{query}"), None).await.json()["items"], json!([]));
    sim.clock().advance(Duration::from_secs(91 * 86_400));
    let client = Client::partner(&sim).await;
    assert_eq!(client.get(&format!("{url}{query}"), scope).await.json()["items"], json!([]));
}
