//! Tests of the smaller families: DNS Protection, switches, access points, runtime detection
//! profiles, attestations, web filters, quotes and account names.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::time::Duration;

use common::*;
use serde_json::{Value, json};
use sophos_simulator::Simulator;

const UNKNOWN: &str = "a1b2c3d4-e5f6-4a7b-8c9d-0e1f2a3b4c5d";

#[tokio::test]
async fn dns_location_lives_until_its_deletion() {
    let sim = Simulator::start(config()).await.unwrap();
    let client = Client::partner(&sim).await;
    let tenant = TenantClient::new(&sim, &client, 0);
    let path = "/dns-protection/v2/locations";
    let new = |name: &str, address: &str| json!({ "name": name, "ipList": [address], "domainNames": ["a.example.com"] });
    let made = tenant.send("POST", path, new("Oslo", "192.0.2.7")).await;
    assert_eq!(made.status, 201, "{}", made.text);
    assert_eq!(tenant.send("POST", path, new("oslo", "192.0.2.8")).await.status, 409);
    assert_eq!(tenant.send("POST", path, new("Bergen", "192.0.2.7")).await.status, 409);
    assert_eq!(tenant.send("POST", path, new("Bergen", "here")).await.status, 400);
    let own = format!("{path}/{}", text(&made.json()["id"]));
    let changes = json!({
        "ipAddresses": { "add": ["2001:db8::1"], "remove": ["192.0.2.7"] },
        "domainNames": { "add": ["b.example.com"] }, "dohEnabled": true,
    });
    let changed = tenant.send("PATCH", &own, changes).await.json();
    assert_eq!(changed["ipList"], json!(["2001:db8::1"]));
    assert_eq!(changed["domainNames"], json!(["a.example.com", "b.example.com"]));
    assert!(changed.get("ipAddresses").is_none());
    let renamed = tenant.send("PATCH", &own, json!({ "name": "Oslo West" })).await.json();
    assert_eq!((&renamed["ipList"], &renamed["name"]), (&json!(["2001:db8::1"]), &json!("Oslo West")));
    let all = tenant.get_ok(path).await;
    let default = all["items"].as_array().unwrap().iter().find(|one| one["default"] == true).unwrap();
    let default = format!("{path}/{}", text(&default["id"]));
    assert_eq!(tenant.send("DELETE", &default, json!({})).await.status, 400);
    for number in all["items"].as_array().unwrap().len()..50 {
        let made =
            tenant.send("POST", path, new(&format!("L{number}"), &format!("198.51.100.{number}"))).await;
        assert_eq!(made.status, 201, "{}", made.text);
    }
    assert_eq!(tenant.send("POST", path, new("Last", "192.0.2.99")).await.status, 400);
    assert_eq!(tenant.send("DELETE", &own, json!({})).await.json(), json!({ "deleted": true }));
    assert_eq!(tenant.get(&own).await.status, 404);
}

#[tokio::test]
async fn mac_filter_reaches_devices_by_a_task() {
    let sim = Simulator::start(config()).await.unwrap();
    let client = Client::partner(&sim).await;
    let tenant = TenantClient::new(&sim, &client, 0);
    for (family, devices) in [("switch", "switches"), ("wifi", "accessPoints")] {
        let settings = format!("/{family}/v1/settings/mac-filtering");
        let tasks = format!("/{family}/v1/tasks");
        assert_eq!(tenant.send("PUT", &settings, json!({ "macAddresses": ["5c:85:7e"] })).await.status, 400);
        let addresses = json!({ "macAddresses": ["5c:85:7e:32:97:26"] });
        assert_eq!(tenant.send("PUT", &settings, addresses.clone()).await.status, 201);
        assert_eq!(tenant.get_ok(&settings).await["macAddresses"], addresses["macAddresses"]);
        let task = tenant.get_ok(&format!("{tasks}?type=macFilter")).await["items"][1].clone();
        assert_eq!(
            (&task["status"]["pending"], &task["status"]["noSupportSubscription"]),
            (&json!(3), &json!(1))
        );
        assert_eq!(task[devices].as_array().unwrap().len(), 4);
        sim.clock().advance(Duration::from_secs(60));
        let task = tenant.get_ok(&tasks).await["items"][1].clone();
        assert_eq!((&task["status"]["pending"], &task["status"]["succeeded"]), (&json!(0), &json!(3)));
        let twice = json!({ "macAddresses": ["5c:85:7e:32:97:26", "5C:85:7E:32:97:26"] });
        tenant.send("PUT", &settings, twice).await;
        sim.clock().advance(Duration::from_secs(60));
        let task = tenant.get_ok(&tasks).await["items"][2].clone();
        assert_eq!(
            (&task["status"]["failed"], &task[devices][0]["error"]["code"]),
            (&json!(3), &json!("10905"))
        );
    }
}

#[tokio::test]
async fn runtime_profile_gets_versions() {
    let sim = Simulator::start(config()).await.unwrap();
    let client = Client::partner(&sim).await;
    let tenant = TenantClient::new(&sim, &client, 0);
    let path = "/cloud-security/v1/profiles";
    let new = json!({
        "name": "Web", "contentVersion": "6.4.8",
        "settings": { "rules": [{ "name": "shell", "enabled": false }], "lists": [] },
    });
    let made = tenant.send("POST", path, new.clone()).await;
    assert_eq!((made.status, &made.json()["version"]), (201, &json!(1)), "{}", made.text);
    assert_eq!(tenant.send("POST", path, new).await.status, 400);
    let id = text(&made.json()["id"]);
    let next =
        |id: &str, content: &str| json!({ "profileId": id, "contentVersion": content, "settings": {} });
    assert_eq!(tenant.send("POST", path, next(UNKNOWN, "6.5.0")).await.status, 404);
    assert_eq!(tenant.send("POST", path, next(&id, "1.0")).await.status, 400);
    assert_eq!(tenant.send("POST", path, next(&id, "6.5.0")).await.json()["version"], 2);
    let own = format!("{path}/{id}");
    let old = tenant.get_ok(&format!("{own}?version=1")).await;
    assert!(old["diff"].as_str().unwrap().contains("shell"));
    assert_eq!(tenant.get_ok(&own).await["contentVersion"], "6.5.0");
    assert_eq!(tenant.get(&format!("{own}?version=3")).await.status, 404);
    assert_eq!(tenant.send("PUT", &own, json!({})).await.status, 400);
    assert_eq!(tenant.send("PUT", &format!("{own}?name=Front"), json!({})).await.status, 200);
    let found = tenant.get_ok(&format!("{path}?searchTerm=front")).await;
    assert_eq!(ids(&found).join(","), id);
    let used = ids(&tenant.get_ok(path).await)[1].clone();
    assert_eq!(tenant.send("DELETE", path, json!({})).await.status, 400);
    let skipped = tenant.send("DELETE", &format!("{path}?profileIds={id},{used}"), json!({})).await;
    assert_eq!(skipped.json(), json!({ "skippedProfiles": [used] }));
    assert_eq!(tenant.get(&own).await.status, 404);
    let contents = tenant.get_ok("/cloud-security/v1/profiles/default-contents").await;
    assert_eq!(contents["items"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn user_responds_to_an_attestation_or_it_expires() {
    let sim = Simulator::start(config()).await.unwrap();
    let client = Client::partner(&sim).await;
    let tenant = TenantClient::new(&sim, &client, 0);
    let path = "/user-activity-verification/v1/attestations";
    let user = ids(&tenant.get_ok("/common/v1/directory/users").await)[0].clone();
    let new = |user: &str, timeout: u64, keys: [&str; 2]| {
        json!({
            "userId": user, "title": { "text": "Check" }, "question": { "text": "Was it you?" },
            "options": keys.map(|key| json!({ "key": key, "value": { "text": key } })),
            "timeoutInSeconds": timeout,
        })
    };
    assert_eq!(tenant.send("POST", path, new(UNKNOWN, 300, ["yes", "no"])).await.status, 404);
    assert_eq!(tenant.send("POST", path, new(&user, 300, ["yes", "yes"])).await.status, 400);
    let made = tenant.send("POST", path, new(&user, 300, ["yes", "no"])).await;
    assert_eq!((made.status, &made.json()["status"]), (201, &json!("pending")), "{}", made.text);
    let short = tenant.send("POST", path, new(&user, 30, ["yes", "no"])).await.json();
    sim.clock().advance(Duration::from_secs(60));
    let done = tenant.get_ok(&format!("{path}/{}", text(&made.json()["id"]))).await;
    assert_eq!(done["status"], "completed");
    assert!(["yes", "no"].contains(&done["selectedOption"].as_str().unwrap()));
    let expired = tenant.get_ok(&format!("{path}/{}?fields=status", text(&short["id"]))).await;
    assert_eq!((&expired["status"], expired.as_object().unwrap().len()), (&json!("expired"), 2));
    assert_eq!(tenant.get(&format!("{path}/{UNKNOWN}")).await.status, 404);
}

#[tokio::test]
async fn web_filters_refuse_to_delete_what_is_in_use() {
    let sim = Simulator::start(config()).await.unwrap();
    let client = Client::partner(&sim).await;
    let tenant = TenantClient::new(&sim, &client, 0);
    let (profiles, lists) = ("/web-filters/v1/profiles", "/web-filters/v1/site-lists");
    let new = json!({ "name": "News", "sites": ["news.example.com", "192.0.2.1"] });
    let list = tenant.send("POST", lists, new.clone()).await;
    assert_eq!((list.status, &list.json()["numberOfSites"]), (201, &json!(2)), "{}", list.text);
    assert_eq!(tenant.send("POST", lists, new).await.status, 409);
    let id = text(&list.json()["id"]);
    let own_list = format!("{lists}/{id}");
    let sites = format!("{own_list}/sites");
    assert_eq!(tenant.send("POST", &sites, json!({ "site": "news.example.com" })).await.status, 409);
    assert_eq!(tenant.send("POST", &sites, json!({ "site": "not a site" })).await.status, 400);
    let site = tenant.send("POST", &sites, json!({ "site": "192.0.2.0/28" })).await.json();
    assert_eq!(site["siteType"], "cidr");
    assert_eq!(tenant.send("DELETE", &format!("{sites}/{}", text(&site["id"])), json!({})).await.status, 200);
    assert_eq!(tenant.get_ok(&format!("{sites}?search=news")).await["items"].as_array().unwrap().len(), 1);
    assert!(tenant.get_ok(&format!("{lists}?search=192.0.2.1")).await["items"][0].get("sites").is_none());
    let profile = json!({
        "name": "Readers", "siteListActions": [{ "id": id, "action": "allow", "priority": 1 }],
        "consumers": [{ "type": "serverWebControlPolicy", "id": UNKNOWN }],
    });
    let wrong = json!({ "name": "X", "siteListActions": [{ "id": UNKNOWN, "action": "allow" }] });
    assert_eq!(tenant.send("POST", profiles, wrong).await.status, 400);
    let made = tenant.send("POST", profiles, profile.clone()).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let own = format!("{profiles}/{}", text(&made.json()["id"]));
    assert_eq!(tenant.get_ok(&own_list).await["usedBy"][0]["name"], "Readers");
    assert_eq!(tenant.send("DELETE", &own_list, json!({})).await.status, 409);
    assert_eq!(tenant.send("DELETE", &own, json!({})).await.status, 409);
    let copy = tenant.send("POST", &format!("{own}/clone"), json!({ "name": "Readers 2" })).await.json();
    assert_eq!((&copy["consumers"], &copy["siteListActions"]), (&json!([]), &profile["siteListActions"]));
    assert_eq!(tenant.send("POST", &format!("{own}/clone"), json!({ "name": "Readers" })).await.status, 409);
    let list_copy =
        tenant.send("POST", &format!("{own_list}/clone"), json!({ "name": "News 2" })).await.json();
    assert_eq!((&list_copy["numberOfSites"], &list_copy["usedBy"]), (&json!(2), &json!([])));
    let replaced =
        tenant.send("PUT", &own, json!({ "name": "Readers", "description": "None." })).await.json();
    assert_eq!((&replaced["siteListActions"], &replaced["consumers"]), (&json!([]), &json!([])));
    assert_eq!(tenant.send("DELETE", &own, json!({})).await.status, 200);
    let copy = format!("{profiles}/{}", text(&copy["id"]));
    assert_eq!(tenant.send("DELETE", &copy, json!({})).await.status, 200);
    assert_eq!(tenant.send("DELETE", &own_list, json!({})).await.status, 200);
    assert_eq!(tenant.get(&sites).await.status, 404);
    let metadata = format!("{}{profiles}/metadata", tenant.host);
    let scope = Some(("X-Tenant-ID", tenant.tenant.as_str()));
    assert_eq!(client.get(&metadata, scope).await.status, 400);
    let request = client.request("GET", &metadata, scope, None).header("accept-language", "en");
    assert!(send(request).await.unwrap().json()["presets"].is_array());
}

#[tokio::test]
async fn distributor_reads_quotes_and_prices() {
    let sim = Simulator::start(config()).await.unwrap();
    let client = Client::partner(&sim).await;
    let partner = credential(&sim, "partner", "super_admin").principal_id;
    let base = format!("{}/business-automation/v1", sim.global_url());
    let scope = Some(("X-Distributor-ID", partner.as_str()));
    let quotes = |query: &str| {
        let url = format!("{base}/quotes?pageTotal=true&{query}");
        let client = &client;
        async move { client.get(&url, scope).await }
    };
    let all = quotes("").await.json();
    assert_eq!(all["pages"]["items"], 8);
    assert_eq!(quotes("type=other").await.status, 400);
    let renewals = quotes("type=renewal").await.json();
    assert!(renewals["items"].as_array().unwrap().iter().all(|quote| quote["type"] == "renewal"));
    assert_eq!(quotes("createdMinutesAgo=1500").await.json()["pages"]["items"], 1);
    assert_eq!(quotes("approvedMinutesAgo=60").await.json()["pages"]["items"], 0);
    let number = text(&all["items"][0]["proposalNumber"]);
    assert_eq!(client.get(&format!("{base}/quotes/{number}"), scope).await.json(), all["items"][0]);
    assert_eq!(client.get(&format!("{base}/quotes/Q-1"), scope).await.status, 404);
    assert_eq!(client.get(&format!("{base}/quotes"), None).await.status, 401);
    let line = |name: &str, discount: f64| json!({ "productName": name, "quantity": 10, "term": 12, "discretionaryDiscountPercent": discount });
    let body =
        |line: Value| json!({ "resellerAccountNumber": "R-1", "sector": "commercial", "lines": [line] });
    let price = |body: Value| {
        let request = client.request("POST", &format!("{base}/pricing"), scope, Some(&body));
        async move { send(request).await.unwrap() }
    };
    let free = price(body(line("Central Email Advanced", 100.0))).await;
    assert_eq!((free.status, &free.json()["total"]), (200, &json!(0.0)), "{}", free.text);
    let listed = price(body(line("Central Email Advanced", 0.0))).await.json();
    assert!(listed["total"].as_f64().unwrap() < listed["lines"][0]["listPrice"].as_f64().unwrap());
    assert_eq!(price(body(line("No product", 0.0))).await.status, 400);
    assert_eq!(price(json!({ "lines": [] })).await.status, 400);
    let levels = client.get(&format!("{base}/partners/level?billingSubRegion=EMEA"), scope).await.json();
    assert_eq!(levels["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn account_info_names_the_tenant() {
    let sim = Simulator::start(config()).await.unwrap();
    let client = Client::partner(&sim).await;
    let tenant = TenantClient::new(&sim, &client, 0);
    let info = tenant.get_ok("/account-info/v1/account-info").await;
    assert_eq!(info["name"], json!(sim.tenants()[0].name));
    assert!(info["showAs"].is_string());
}
