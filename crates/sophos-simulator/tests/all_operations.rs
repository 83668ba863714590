//! Every published operation that the simulator serves, with a request built from its example.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::*;
use serde_json::{Value, json};
use sophos_simulator::{HostKind, RequestScope, Route, Simulator, routes};

/// Members of examples that not every record has.
const OPTIONAL: &[&str] = &[
    "category",
    "cloned",
    "cloud",
    "description",
    "disableAt",
    "domain",
    "email",
    "encryption",
    "error",
    "errors",
    "exchangeLogin",
    "executedAt",
    "finishedAt",
    "ipv6Addresses",
    "lastAgentUpdateAt",
    "lastDisabledAt",
    "lastDisabledBy",
    "lastEnabledAt",
    "lastOsUpdateAt",
    "matchEndpoints",
    "networkDevice",
    "organization",
    "partner",
    "password",
    "person",
    "response",
    "selectedOption",
    "query",
    "resolvedAt",
    "serialNumber",
    "showAs",
    "tamperProtectionSupported",
    "tenant",
    "url",
    "verdict",
];

/// The operations whose request needs another record than the first of its list.
const RECORD_AT: &[(&str, usize)] = &[
    // The group without users, and administrators that are not the last Super Admin.
    ("user_groups.delete", 4),
    ("endpoint_groups.delete", 5),
    // A group without devices, and a system with a version.
    ("mobile.delete_device_group", 2),
    ("mobile.operating_system", 3),
    ("admins.assign_role", 1),
    ("admins.delete", 1),
    ("admins.remove_role", 1),
];

/// Values in place of placeholders and of ids that no record has, by the member's name.
async fn replace_values(client: &TestClient<'_>, route: &Route, value: &mut Value) {
    let family = route.path.split('/').nth(1).unwrap();
    let roles = if family == "partner" { "/partner/v1/roles" } else { "/common/v1/roles" };
    let users = client.ids("/common/v1/directory/users").await;
    let groups = client.ids("/common/v1/directory/user-groups").await;
    let endpoints = client.ids("/endpoint/v1/endpoints?type=computer").await;
    let role = client.ids(roles).await[1].clone();
    let firewalls = client.ids("/firewall/v1/firewalls").await;
    let firewall_group = client.ids("/firewall/v1/firewall-groups").await[0].clone();
    let profile = client.ids("/cloud-security/v1/profiles").await[0].clone();
    let devices = client.ids("/mobile/v1/devices").await;
    let device_groups = client.ids("/mobile/v1/device-groups").await;
    let query = client.ids("/live-discover/v1/queries").await[0].clone();
    let category = client.ids("/live-discover/v1/queries/categories").await[0].clone();
    let case = client.ids("/cases/v1/cases").await[0].clone();
    let detections = client.ids(&format!("/cases/v1/cases/{case}/detections")).await;
    replace(value, "", &|name, value| match name {
        "roleId" => *value = json!(role),
        "userId" => *value = json!(users[6]),
        "users" if route.path.starts_with("/endpoint") => *value = json!([users[6]]),
        "userGroups" if route.path.starts_with("/endpoint") => *value = json!([groups[4]]),
        "fromTenant" => *value = json!(client.sim.tenants()[1].id),
        "endpoints" if value.is_array() && route.path.starts_with("/endpoint") => {
            *value = json!([endpoints[0]])
        }
        "endpointIds" if route.path.starts_with("/endpoint") => *value = json!([endpoints[0]]),
        "userIds" => *value = json!([users[6]]),
        "groupIds" => *value = json!([groups[4]]),
        "enabled" if route.operation.starts_with("isolation") => *value = json!(true),
        "ids" if route.path.starts_with("/endpoint") => *value = json!([endpoints[0]]),
        "ids" if route.path.contains("user-groups") => *value = json!([users[6]]),
        "ids" if route.path.contains("users") => *value = json!([groups[4]]),
        "configImportSourceFirewallId" => *value = json!(firewalls[0]),
        "assignFirewalls" | "unassignFirewalls" => *value = json!([firewalls[0]]),
        "firewalls" if value[0].is_object() => *value = json!([{ "id": firewalls[0] }]),
        "firewalls" => *value = json!([firewalls[0]]),
        "pageFromKey" => *value = Value::Null,
        "parentGroupId" => *value = json!(firewall_group),
        "profileId" => *value = json!(profile),
        "permissionSets" => *value = json!(["central_admin"]),
        // Either a saved query or an ad hoc query, within 30 days.
        "adHocQuery" if route.path.starts_with("/live-discover") => *value = Value::Null,
        "queryId" => *value = json!(query),
        "categoryId" if !route.path.starts_with("/endpoint") => *value = json!(category),
        "from" => *value = json!("2026-01-01T00:00:00.000Z"),
        "to" => *value = json!("2026-01-10T00:00:00.000Z"),
        "assignee" => *value = json!("ada.abbott@example.com"),
        "initialDetectionId" => *value = json!(detections[0]),
        "otherDetectionIds" => *value = json!([detections[1]]),
        "endpoints" if route.path.starts_with("/mobile") => *value = json!([devices[0]]),
        "groupId" if route.path.starts_with("/mobile") => *value = json!(device_groups[0]),
        "expiresAt" => *value = json!("2027-01-01T00:00:00.000Z"),
        "scope" => *value = json!({ "type": "allManagedTenants" }),
        _ => {}
    });
}

/// The id for a part of a path, of a record that no list has.
async fn prepared_id(client: &TestClient<'_>, route: &Route, part: &str) -> Option<String> {
    let family = route.path.split("/messages").next().and_then(|path| path.split("/downloads").next())?;
    let start = async |path: String, body: Value, id: &str| {
        let reply = client.send("POST", &path, Some(&body)).await;
        Some(scalar(reply.json().get(id)?))
    };
    let message = async |family: &str| {
        let body = json!({ "beginDate": "2026-01-01T00:00:00Z", "endDate": "2026-02-01T00:00:00Z" });
        let found = client.send("POST", &format!("{family}/messages/search"), Some(&body)).await;
        scalar(&found.json()["items"][0]["id"])
    };
    match part {
        ":firewallId" => client.ids("/firewall/v1/firewalls").await.first().cloned(),
        ":transactionId" => {
            let firewall = client.ids("/firewall/v1/firewalls").await[0].clone();
            let feed = format!("/firewall/v1/firewall-config/firewalls/{firewall}/mdr-threat-feed");
            Some(scalar(&client.send("GET", &feed, None).await.json()["transactionId"]))
        }
        ":attestationId" => {
            let body = json!({
                "userId": client.ids("/common/v1/directory/users").await[0], "title": { "text": "Check" },
                "question": { "text": "Was it you?" }, "options": [{ "key": "yes", "value": { "text": "Yes" } }],
            });
            start("/user-activity-verification/v1/attestations".to_owned(), body, "id").await
        }
        ":downloadId" => {
            let path = format!("{family}/messages/{}/attachments/download", message(family).await);
            start(path, json!({ "attachments": ["a.txt"] }), "id").await
        }
        ":id" if route.path.starts_with("/email/v1/messages") => {
            let id = message("/email/v1/quarantine").await;
            let items = json!({ "items": [{ "id": id }] });
            client.send("POST", "/email/v1/quarantine/messages/release", Some(&items)).await;
            if route.method == "GET" {
                let path = format!("/email/v1/messages/{id}/clawback");
                client.send("POST", &path, Some(&json!({ "reason": "phishing" }))).await;
            }
            Some(id)
        }
        ":id" if route.path.contains("quarantine/") => Some(message(family).await),
        _ => None,
    }
}

fn replace(value: &mut Value, name: &str, with: &dyn Fn(&str, &mut Value)) {
    with(name, value);
    match value {
        Value::Object(members) => members.iter_mut().for_each(|(name, value)| replace(value, name, with)),
        Value::Array(items) => items.iter_mut().for_each(|value| replace(value, "", with)),
        _ => {}
    }
}

struct TestClient<'a> {
    sim: &'a Simulator,
    partner: Client,
    organization: Client,
}

impl TestClient<'_> {
    async fn new(sim: &Simulator) -> TestClient<'_> {
        let organization = Client::new(sim, "organization", "super_admin").await;
        TestClient { sim, partner: Client::partner(sim).await, organization }
    }

    async fn send(&self, method: &str, path: &str, body: Option<&Value>) -> Reply {
        let tenant = &self.sim.tenants()[0];
        let partner = credential(self.sim, "partner", "super_admin").principal_id;
        let organization = credential(self.sim, "organization", "super_admin").principal_id;
        let is_global = routes()
            .iter()
            .any(|r| r.host == HostKind::Global && r.path.split('/').nth(1) == path.split('/').nth(1));
        let host =
            if is_global { self.sim.global_url() } else { self.sim.region_url(&tenant.region).unwrap() };
        let (client, scope) = match path.split('/').nth(1).unwrap() {
            "partner" => (&self.partner, ("X-Partner-ID", partner.as_str())),
            "organization" => (&self.organization, ("X-Organization-ID", organization.as_str())),
            _ => (&self.partner, ("X-Tenant-ID", tenant.id.as_str())),
        };
        common::send(client.request(method, &format!("{host}{path}"), Some(scope), body)).await.unwrap()
    }

    /// The ids of the records that a path lists.
    async fn ids(&self, path: &str) -> Vec<String> {
        let reply = self.send("GET", path, None).await;
        let body = if reply.status == 200 { reply.json() } else { Value::Null };
        let id = |item: &Value| ["id", "name", "key"].into_iter().find_map(|name| item.get(name)).map(scalar);
        body["items"].as_array().map_or_else(Vec::new, |items| items.iter().filter_map(id).collect())
    }

    /// The id of a finished request to an endpoint for a file.
    async fn collect(&self, path: &str) -> String {
        let endpoint = path.split('/').nth(4).unwrap();
        assert!(self.sim.set_endpoint_online(&self.sim.tenants()[0].id, endpoint, true));
        let mode = if path.ends_with("memory-dumps") { "kernel" } else { "fast" };
        let made = self.send("POST", path, Some(&json!({ "mode": mode }))).await.json();
        self.sim.clock().advance(std::time::Duration::from_secs(600));
        text(&made["id"])
    }

    /// The id of a detections query that has ended.
    async fn detections_run(&self, path: &str) -> String {
        let made = self.send("POST", path, Some(&json!({}))).await.json();
        self.sim.clock().advance(std::time::Duration::from_secs(10));
        text(&made["id"])
    }

    /// The id of a mobile device that was located.
    async fn located_device(&self) -> String {
        let device = self.ids("/mobile/v1/devices").await[0].clone();
        let body = json!({ "endpoints": [device] });
        self.send("POST", "/mobile/v1/actions/locate", Some(&body)).await;
        self.sim.clock().advance(std::time::Duration::from_secs(60));
        device
    }

    /// The path of a route with ids of records in place of its parameters.
    async fn path(&self, route: &Route) -> String {
        let mut path = String::new();
        for part in route.path.split('/').skip(1) {
            let part = match part {
                ":year" => "2026".to_owned(),
                ":month" => "1".to_owned(),
                ":forensicLogRequestId" | ":memoryDumpRequestId" => self.collect(&path).await,
                ":policyType" => "device-encryption".to_owned(),
                ":settingKey" => "endpoint.device-encryption.encrypt-non-boot-volumes".to_owned(),
                ":groupType" | ":endpointType" => "computer".to_owned(),
                // The token of a special package.
                ":staticPackageId" if route.path.ends_with("/add") => {
                    "5bec1a10-0000-4000-8000-000000000001".to_owned()
                }
                ":runId" if route.path.starts_with("/detections") => self.detections_run(&path).await,
                ":id" if route.path.ends_with("/location") => self.located_device().await,
                part if part.starts_with(':') => {
                    let ids = match prepared_id(self, route, part).await {
                        Some(id) => vec![id],
                        None => self.ids(&path).await,
                    };
                    let at =
                        RECORD_AT.iter().find(|(name, _)| *name == route.operation).map_or(0, |(_, at)| *at);
                    let id = ids.get(at).or_else(|| ids.first());
                    id.cloned().unwrap_or_else(|| "00000000-0000-4000-8000-000000000001".to_owned())
                }
                part => part.to_owned(),
            };
            path.push('/');
            path.push_str(&part);
        }
        path
    }
}

fn scalar(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "text",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// The members of a body that have another type than in the example, or are absent at its top.
fn shape_problems(example: &Value, found: &Value, path: &str, problems: &mut Vec<String>) {
    match (example, found) {
        // No example is known.
        (Value::Object(members), _) if members.is_empty() => {}
        (Value::Object(members), Value::Object(other)) => {
            for (name, value) in members {
                match other.get(name) {
                    Some(found) => shape_problems(value, found, &format!("{path}.{name}"), problems),
                    // The settings of a policy depend on its type.
                    None if path.is_empty() && !name.contains('.') && !OPTIONAL.contains(&name.as_str()) => {
                        problems.push(format!("lacks {name}"));
                    }
                    None => {}
                }
            }
        }
        (Value::Array(examples), Value::Array(items)) => {
            if let (Some(example), Some(item)) = (examples.first(), items.first()) {
                shape_problems(example, item, &format!("{path}[]"), problems);
            }
        }
        (Value::Null, _) | (_, Value::Null) => {}
        // Some examples have numbers in place of texts that look like one.
        (Value::Number(_), Value::String(_))
            if path.ends_with(".version") || path.ends_with("phoneNumber") => {}
        // Some examples have texts with a comma in place of numbers.
        (Value::String(text), Value::Number(_)) if text.ends_with(',') => {}
        (example, found) if kind(example) == kind(found) => {}
        (example, found) => problems.push(format!("{path}: {} instead of {}", kind(found), kind(example))),
    }
}

#[tokio::test]
#[ignore = "needs recorded material beside the checkout: `cargo xtask test` runs it where that is"]
async fn served_operations_answer_published_requests() {
    let published = recorded("sophos/operations.json");
    let published = published.as_array().unwrap();
    let mut problems = Vec::new();
    let mut missing = Vec::new();
    for one in published {
        let same = |route: &&Route| one["method"] == route.method && one["path"] == route.path;
        let Some(route) = routes().iter().find(same) else {
            missing.push(format!("{} {}", scalar(&one["method"]), scalar(&one["path"])));
            continue;
        };
        if matches!(route.scope, RequestScope::Unauthenticated) || route.path.starts_with("/siem") {
            continue;
        }
        let sim = Simulator::start(config()).await.unwrap();
        let client = TestClient::new(&sim).await;
        let mut path = client.path(route).await;
        let mut body = one["body"].clone();
        replace_values(&client, route, &mut body).await;
        if matches!(route.operation, "alerts.act" | "alerts.search" | "migrations.send") {
            // Their examples name records of another account; the tests of alerts have their own.
            continue;
        }
        if matches!(
            route.operation,
            "roles.update" | "roles.delete" | "partner.roles.update" | "partner.roles.delete"
        ) {
            let role = json!({ "name": "Own", "principalType": "user", "permissionSets": ["central_admin"] });
            let list = path.rsplit_once('/').unwrap().0.to_owned();
            let made = client.send("POST", &list, Some(&role)).await.json();
            path = format!("{list}/{}", text(&made["id"]));
        }
        match route.operation {
            "cloud_security.delete" => path.push_str(&format!("?profileIds={}", client.ids(&path).await[0])),
            "cloud_security.rename" => path.push_str("?name=Renamed"),
            "firewalls.cancel_upgrade" => {
                path.push_str(&format!("?ids={}", client.ids("/firewall/v1/firewalls").await[0]));
            }
            _ => {}
        }
        let has_query = path.contains('?');
        if one["query"].as_array().unwrap().iter().any(|q| q["name"] == "ids")
            && route.method == "DELETE"
            && !has_query
        {
            path.push_str("?ids=a1b2c3d4-e5f6-4a7b-8c9d-0e1f2a3b4c5d");
        }
        let reply = client.send(route.method, &path, (!body.is_null()).then_some(&body)).await;
        if !(200..300).contains(&reply.status) {
            problems.push(format!("{} {path}: {} {}", route.operation, reply.status, reply.text));
            continue;
        }
        let responses = one["responses"].as_array().unwrap();
        let documented: Vec<&Value> = responses.iter().filter(|r| r["status"] == reply.status).collect();
        if documented.is_empty() {
            problems.push(format!("{}: undocumented {}", route.operation, reply.status));
        }
        for example in documented.iter().map(|response| &response["example"]) {
            let mut found = Vec::new();
            shape_problems(example, &reply.json(), "", &mut found);
            problems.extend(found.into_iter().map(|what| format!("{}: {what}", route.operation)));
        }
    }
    println!("{} of {} are not served:\n{}", missing.len(), published.len(), missing.join("\n"));
    assert!(problems.is_empty(), "{} problems\n{}", problems.len(), problems.join("\n"));
}
