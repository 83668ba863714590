//! Tests of members and names that clients of other projects need.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::collections::BTreeSet;
use std::net::SocketAddr;

use common::*;
use serde_json::Value;
use sophos_simulator::Simulator;

async fn items(sim: &Simulator, client: &Client, path: &str, header: &str, id: &str) -> Vec<Value> {
    let reply = client.get(&format!("{}{path}", sim.global_url()), Some((header, id))).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.json()["items"].as_array().unwrap().clone()
}

#[tokio::test]
async fn partner_sees_the_contact_of_each_tenant() {
    let sim = Simulator::start(config()).await.unwrap();
    for (kind, header, shown) in
        [("partner", "X-Partner-ID", true), ("organization", "X-Organization-ID", false)]
    {
        let client = Client::new(&sim, kind, "super_admin").await;
        let id = credential(&sim, kind, "super_admin").principal_id;
        let tenants = items(&sim, &client, &format!("/{kind}/v1/tenants"), header, &id).await;
        assert!(!tenants.is_empty());
        for tenant in tenants {
            assert_eq!(tenant["contact"]["email"].is_string(), shown, "{tenant}");
            assert_eq!(tenant["products"][0]["code"].is_string(), shown, "{tenant}");
        }
    }
}

#[tokio::test]
async fn partner_licenses_are_those_of_its_tenants() {
    const PATH: &str = "/licenses/v1/licenses/firewalls";
    let sim = Simulator::start(config()).await.unwrap();
    let client = Client::partner(&sim).await;
    let partner = credential(&sim, "partner", "super_admin").principal_id;
    let all = items(&sim, &client, PATH, "X-Partner-ID", &partner).await;
    let mut of_tenants = BTreeSet::new();
    for tenant in sim.tenants().iter().filter(|tenant| tenant.owner == sophos_simulator::Owner::Partner) {
        for firewall in items(&sim, &client, PATH, "X-Tenant-ID", &tenant.id).await {
            assert_eq!(firewall["billingTenant"]["id"], tenant.id);
            of_tenants.insert(firewall["serialNumber"].to_string());
        }
    }
    assert!(!of_tenants.is_empty());
    assert_eq!(all.iter().map(|one| one["serialNumber"].to_string()).collect::<BTreeSet<_>>(), of_tenants);
    assert!(all.iter().all(|one| one["partner"]["id"].is_string() && one["tenant"]["id"].is_string()));
}

#[tokio::test]
async fn certificate_has_the_names_of_the_service() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = config();
    config.tls_ca_file = Some(folder.path().join("ca.pem"));
    let sim = Simulator::start(config).await.unwrap();
    let pem = std::fs::read(folder.path().join("ca.pem")).unwrap();
    let ca = reqwest::Certificate::from_pem(&pem).unwrap();
    for name in ["id.sophos.com", "api.central.sophos.com", "api-eu01.central.sophos.com"] {
        let address: SocketAddr = sim.global_url().split_once("://").unwrap().1.parse().unwrap();
        let client = reqwest::Client::builder()
            .no_proxy()
            .tls_certs_only([ca.clone()])
            .resolve(name, address)
            .build()
            .unwrap();
        let url = format!("https://{name}:{}/whoami/v1", address.port());
        assert_eq!(client.get(url).send().await.unwrap().status(), 401, "{name}");
    }
}

#[tokio::test]
async fn web_category_has_its_id_as_its_position() {
    let sim = Simulator::start(config()).await.unwrap();
    let client = Client::partner(&sim).await;
    let tenant = TenantClient::new(&sim, &client, 0);
    let categories = tenant.get_ok("/endpoint/v1/settings/web-control/categories").await;
    let ids = categories.as_array().unwrap().iter().map(|category| category["id"].as_u64().unwrap());
    assert!(ids.len() > 10 && ids.enumerate().all(|(position, id)| id == position as u64), "{categories}");
}
