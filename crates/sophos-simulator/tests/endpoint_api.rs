//! Tests of endpoint groups, actions on endpoints, and migrations.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::time::Duration;

use common::*;
use serde_json::{Value, json};
use sophos_simulator::{MachineConfig, MachineType, Owner, Simulator, TenantGroup};

const ENDPOINTS: &str = "/endpoint/v1/endpoints";
const GROUPS: &str = "/endpoint/v1/endpoint-groups";
const UNKNOWN: &str = "a1b2c3d4-e5f6-4a7b-8c9d-0e1f2a3b4c5d";

/// Two tenants; the first has three computers and a server, all online.
async fn start() -> Simulator {
    let mut config = config();
    config.tokens.lifetime_seconds = 60 * 86_400;
    let group = TenantGroup { endpoints: Some(0), ..TenantGroup::new(Owner::Partner, 2) };
    config.tenants = vec![group];
    let names = Simulator::start(config.clone()).await.unwrap().tenants();
    config.machines = (1..4).map(|n| MachineConfig::computer(&*names[0].id, format!("pc-{n}"))).collect();
    let mut server = MachineConfig::computer(&*names[0].id, "web-1");
    server.machine_type = Some(MachineType::Server);
    config.machines.push(server);
    Simulator::start(config).await.unwrap()
}

fn count(page: &Value) -> usize {
    page["items"].as_array().unwrap().len()
}

#[tokio::test]
async fn group_lives_from_creation_to_deletion() {
    let sim = start().await;
    let client = Client::partner(&sim).await;
    let tenant = TenantClient::new(&sim, &client, 0);
    let pcs = ids(&tenant.get_ok(&format!("{ENDPOINTS}?type=computer")).await);
    let server = ids(&tenant.get_ok(&format!("{ENDPOINTS}?type=server")).await).remove(0);
    let new = json!({ "name": "Finance", "type": "computer", "endpointIds": [pcs[0]] });
    let made = tenant.send("POST", GROUPS, new.clone()).await;
    assert_eq!(made.status, 201, "{}", made.text);
    assert_eq!(made.json()["endpoints"]["items"][0]["hostname"], "pc-1");
    let path = format!("{GROUPS}/{}", text(&made.json()["id"]));
    assert_eq!(tenant.send("POST", GROUPS, new).await.status, 409);
    let wrong = json!({ "name": "X", "type": "computer", "endpointIds": [server] });
    assert_eq!(tenant.send("POST", GROUPS, wrong).await.status, 409);
    let unknown = json!({ "name": "X", "type": "computer", "endpointIds": [UNKNOWN] });
    assert_eq!(tenant.send("POST", GROUPS, unknown).await.status, 404);
    let more = json!({ "ids": [pcs[1], server, UNKNOWN] });
    let added = tenant.send("POST", &format!("{path}/endpoints"), more).await;
    assert_eq!((added.status, count(&json!({ "items": added.json()["addedEndpoints"] }))), (201, 1));
    assert_eq!(added.json()["errors"]["endpointsOfWrongType"], json!([server]));
    assert_eq!(added.json()["errors"]["endpointsNotFound"], json!([UNKNOWN]));
    let members = tenant.get_ok(&format!("{path}/endpoints?pageSize=1&pageTotal=true")).await;
    assert_eq!((count(&members), &members["pages"]["items"]), (1, &json!(2)));
    let listed = tenant.get_ok(&format!("{GROUPS}?endpointIds={}", pcs[1])).await;
    assert_eq!((count(&listed), &listed["items"][0]["name"]), (1, &json!("Finance")));
    tenant.send("PATCH", &path, json!({ "name": "Accounts" })).await;
    let endpoint = tenant.get_ok(&format!("{ENDPOINTS}/{}", pcs[0])).await;
    assert_eq!(endpoint["group"]["name"], "Accounts");
    assert_eq!(tenant.send("DELETE", &path, json!({})).await.status, 409);
    let removed = format!("{path}/endpoints?ids={},{UNKNOWN}", pcs[0]);
    let removed = tenant.send("DELETE", &removed, json!({})).await.json();
    assert_eq!(removed["removedEndpoints"][0]["id"], pcs[0]);
    assert_eq!(removed["errors"]["endpointsNotFound"], json!([UNKNOWN]));
    let one = format!("{path}/endpoints/{}", pcs[1]);
    assert_eq!(tenant.send("DELETE", &one, json!({})).await.json(), json!({ "removed": true }));
    assert_eq!(tenant.send("DELETE", &path, json!({})).await.json(), json!({ "deleted": true }));
    assert_eq!(tenant.get(&path).await.status, 404);
    assert_eq!(tenant.get_ok(&format!("{ENDPOINTS}/{}", pcs[0])).await.get("group"), None);
}

#[tokio::test]
async fn groups_agree_with_the_endpoints() {
    let sim = Simulator::start(one_tenant(0.0, 0.0, 60)).await.unwrap();
    let client = Client::partner(&sim).await;
    let tenant = TenantClient::new(&sim, &client, 0);
    let groups = tenant.get_ok(GROUPS).await;
    let mut members = 0;
    for group in groups["items"].as_array().unwrap() {
        let path = format!("{GROUPS}/{}/endpoints?pageSize=500", text(&group["id"]));
        let page = tenant.get_ok(&path).await;
        assert_eq!(group["endpoints"]["total"], count(&page));
        assert!(page["items"].as_array().unwrap().iter().all(|endpoint| endpoint["type"] == group["type"]));
        members += count(&page);
    }
    let all = tenant.get_ok(&format!("{ENDPOINTS}?pageSize=500")).await;
    let grouped = all["items"].as_array().unwrap().iter().filter(|endpoint| endpoint.get("group").is_some());
    assert_eq!((members, members > 20), (grouped.count(), true));
    let synced = groups["items"].as_array().unwrap().iter().find(|g| g["name"] == "Domain Controllers");
    let path = format!("{GROUPS}/{}", text(&synced.unwrap()["id"]));
    assert_eq!(tenant.send("PATCH", &path, json!({ "name": "DC" })).await.status, 409);
    let servers = tenant.get_ok(&format!("{GROUPS}/types/server")).await;
    assert!(servers["items"].as_array().unwrap().iter().all(|group| group["type"] == "server"));
    assert_eq!(tenant.get(&format!("{GROUPS}/types/phone")).await.status, 400);
}

#[tokio::test]
async fn deleted_endpoints_are_gone_everywhere() {
    let sim = start().await;
    let client = Client::partner(&sim).await;
    let tenant = TenantClient::new(&sim, &client, 0);
    let all = ids(&tenant.get_ok(ENDPOINTS).await);
    let first_page = tenant.get_ok(&format!("{ENDPOINTS}?pageSize=1")).await;
    let path = format!("{ENDPOINTS}/{}", all[0]);
    assert_eq!(tenant.send("DELETE", &path, json!({})).await.json(), json!({ "deleted": true }));
    assert_eq!(tenant.send("DELETE", &path, json!({})).await.json(), json!({ "deleted": false }));
    for path in [path.clone(), format!("{path}/isolation"), format!("{path}/tamper-protection")] {
        assert_eq!(tenant.get(&path).await.status, 404, "{path}");
    }
    assert_eq!(tenant.send("POST", &format!("{path}/scans"), json!({})).await.status, 404);
    let key =
        text(&first_page["pages"]["nextKey"]).replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
    assert_eq!(count(&tenant.get_ok(&format!("{ENDPOINTS}?pageFromKey={key}")).await), 3);
    let body = json!({ "endpointIds": [all[0], all[1], UNKNOWN] });
    let deleted = tenant.send("POST", &format!("{ENDPOINTS}/delete"), body).await.json();
    assert_eq!(deleted, json!({ "endpointIds": [all[1]] }));
    assert_eq!(ids(&tenant.get_ok(ENDPOINTS).await), all[2..]);
    assert_eq!(tenant.send("POST", &format!("{ENDPOINTS}/delete"), json!({})).await.status, 400);
}

#[tokio::test]
async fn requests_of_scans_and_updates_need_a_body() {
    let sim = start().await;
    let client = Client::partner(&sim).await;
    let tenant = TenantClient::new(&sim, &client, 0);
    let id = ids(&tenant.get_ok(ENDPOINTS).await).remove(0);
    for action in ["scans", "update-checks"] {
        let path = format!("{ENDPOINTS}/{id}/{action}");
        let reply = tenant.send("POST", &path, json!({})).await;
        assert_eq!((reply.status, &reply.json()["status"]), (201, &json!("requested")));
        let scope = Some(("X-Tenant-ID", tenant.tenant.as_str()));
        let bare = client.request("POST", &format!("{}{path}", tenant.host), scope, None);
        assert_eq!(common::send(bare).await.unwrap().status, 400);
    }
}

#[tokio::test]
async fn tamper_protection_changes_and_keeps_passwords() {
    let sim = start().await;
    let client = Client::partner(&sim).await;
    let tenant = TenantClient::new(&sim, &client, 0);
    let id = ids(&tenant.get_ok(ENDPOINTS).await).remove(0);
    let path = format!("{ENDPOINTS}/{id}/tamper-protection");
    let health = "/account-health-check/v1/health-check?checks=tamperProtection";
    let disabled = |body: &Value| body["endpoint"]["tamperProtection"]["computer"]["disabled"].as_u64();
    tenant.send("POST", &path, json!({ "enabled": true })).await;
    let healthy = disabled(&tenant.get_ok(health).await).unwrap();
    let before = tenant.get_ok(&path).await;
    assert_eq!(before, tenant.get_ok(&path).await);
    let off = tenant.send("POST", &path, json!({ "enabled": false, "regeneratePassword": true })).await;
    assert_eq!((off.status, &off.json()["enabled"]), (201, &json!(false)));
    assert_ne!(off.json()["password"], before["password"]);
    assert_eq!(off.json()["previousPasswords"][0]["password"], before["password"]);
    assert_eq!(tenant.get_ok(&format!("{ENDPOINTS}/{id}")).await["tamperProtectionEnabled"], false);
    let listed = tenant.get_ok(&format!("{ENDPOINTS}?tamperProtectionEnabled=false")).await;
    assert!(ids(&listed).contains(&id));
    assert_eq!(disabled(&tenant.get_ok(health).await), Some(healthy + 1));
    assert_eq!(tenant.get_ok("/endpoint/v1/settings/tamper-protection").await, json!({ "enabled": true }));
}

#[tokio::test]
async fn adaptive_attack_protection_follows_the_clock() {
    let sim = start().await;
    let client = Client::partner(&sim).await;
    let tenant = TenantClient::new(&sim, &client, 0);
    let id = ids(&tenant.get_ok(ENDPOINTS).await).remove(0);
    let path = format!("{ENDPOINTS}/{id}/adaptive-attack-protection");
    let set = tenant.send("POST", &path, json!({ "enabled": true, "expiresAfter": "P1D" })).await.json();
    assert_eq!(
        (&set["desiredState"]["enabled"], &set["actualState"]["enabled"]),
        (&json!(true), &json!(false))
    );
    sim.clock().advance(Duration::from_secs(61));
    let on = tenant.get_ok(&path).await;
    assert_eq!(
        (&on["actualState"]["enabled"], on["actualState"]["expiresAt"].is_string()),
        (&json!(true), true)
    );
    sim.clock().advance(Duration::from_secs(86_400));
    assert_eq!(tenant.get_ok(&path).await["actualState"]["enabled"], false);
    for wrong in [json!({}), json!({ "enabled": true, "expiresAfter": "tomorrow" })] {
        assert_eq!(tenant.send("POST", &path, wrong).await.status, 400);
    }
}

#[tokio::test]
async fn collected_file_is_named_after_the_run() {
    let sim = start().await;
    let client = Client::partner(&sim).await;
    let tenant = TenantClient::new(&sim, &client, 0);
    let all = ids(&tenant.get_ok(ENDPOINTS).await);
    let cases = [
        ("forensic-logs", json!({ "mode": "fast", "expires": "PT4H" }), "forensicLogFile"),
        ("memory-dumps", json!({ "mode": "process", "pid": 4 }), "memoryDumpFile"),
    ];
    for (kind, body, file) in cases {
        let path = format!("{ENDPOINTS}/{}/{kind}", all[0]);
        let made = tenant.send("POST", &path, body.clone()).await;
        assert_eq!((made.status, &made.json()["status"]), (202, &json!("pending")), "{}", made.text);
        let id = text(&made.json()["id"]);
        assert_eq!(tenant.get_ok(&format!("{path}/{id}")).await.get(file), None);
        sim.clock().advance(Duration::from_secs(120));
        let done = tenant.get_ok(&format!("{path}/{id}")).await;
        assert_eq!((&done["status"], text(&done[file]["sha256"]).len()), (&json!("finished"), 64));
        assert_eq!(tenant.get(&format!("{ENDPOINTS}/{}/{kind}/{id}", all[1])).await.status, 404);
        assert!(sim.set_endpoint_online(&tenant.tenant, &all[0], false));
        let offline = text(&tenant.send("POST", &path, body).await.json()["id"]);
        sim.clock().advance(Duration::from_secs(600));
        assert_eq!(tenant.get_ok(&format!("{path}/{offline}")).await["status"], "pending");
        sim.clock().advance(Duration::from_secs(4 * 3_600));
        assert_eq!(tenant.get(&format!("{path}/{id}")).await.status, 404);
        assert!(sim.set_endpoint_online(&tenant.tenant, &all[0], true));
    }
    let path = format!("{ENDPOINTS}/{}/memory-dumps", all[0]);
    assert_eq!(tenant.send("POST", &path, json!({ "mode": "process" })).await.status, 400);
}

#[tokio::test]
async fn migrated_endpoint_arrives_under_a_new_id() {
    let sim = start().await;
    let client = Client::partner(&sim).await;
    let (sender, receiver) = (TenantClient::new(&sim, &client, 0), TenantClient::new(&sim, &client, 1));
    let all = ids(&sender.get_ok(ENDPOINTS).await);
    assert!(sim.set_endpoint_online(&sender.tenant, &all[1], false));
    let path = "/endpoint/v1/migrations";
    let body = json!({ "fromTenant": sender.tenant, "endpoints": [all[0], all[1]] });
    for from in [receiver.tenant.as_str(), UNKNOWN] {
        let wrong = json!({ "fromTenant": from, "endpoints": [all[0]] });
        assert_eq!(receiver.send("POST", path, wrong).await.status, 400, "{from}");
    }
    let job = receiver.send("POST", path, body).await;
    assert_eq!((job.status, &job.json()["mode"]), (201, &json!("receiving")), "{}", job.text);
    let (id, token) = (text(&job.json()["id"]), text(&job.json()["token"]));
    let one = format!("{path}/{id}");
    for (token, endpoint) in [("wrong", &all[0]), (token.as_str(), &all[2])] {
        let body = json!({ "token": token, "endpoints": [endpoint] });
        assert_eq!(sender.send("PUT", &one, body).await.status, 400);
    }
    let body = json!({ "token": token, "endpoints": [all[0], all[1]] });
    assert_eq!(sender.send("PUT", &one, body.clone()).await.status, 201);
    let again = sender.send("PUT", &one, body).await;
    assert_eq!((again.status, &again.json()["mode"]), (200, &json!("sending")));
    assert_eq!(count(&sender.get_ok(&format!("{path}?mode=sending")).await), 1);
    sim.clock().advance(Duration::from_secs(300));
    let moved = receiver.get_ok(&format!("{one}/endpoints")).await;
    assert_eq!(moved, sender.get_ok(&format!("{one}/endpoints")).await);
    assert_eq!(
        (&moved["items"][0]["status"], &moved["items"][1]["status"]),
        (&json!("succeeded"), &json!("pending"))
    );
    assert_eq!(sender.get(&format!("{ENDPOINTS}/{}", all[0])).await.status, 404);
    let arrived = format!("{ENDPOINTS}/{}", text(&moved["items"][0]["newId"]));
    assert_eq!(receiver.get(&arrived).await.status, 404);
    sim.clock().advance(Duration::from_secs(120));
    assert_eq!(receiver.get_ok(&arrived).await["hostname"], "pc-1");
    assert_eq!(count(&receiver.get_ok(ENDPOINTS).await), 1);
    sim.clock().advance(Duration::from_secs(14 * 86_400));
    let late = sender.get_ok(&format!("{one}/endpoints")).await;
    assert_eq!(late["items"][1]["status"], "failed");
    assert_eq!(sender.send("DELETE", &one, json!({})).await.status, 405);
}
