//! `POST /graphql`: documents, errors, and the access of credentials.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::{Client, Reply, config, http, send};
use serde_json::{Value, json};
use sophos_simulator::{Owner, Platform, Simulator, TenantGroup};

/// One tenant that has moved, and one that has not.
async fn simulator() -> Simulator {
    let mut config = config();
    let moved = TenantGroup { platform: Platform::Fusion, ..TenantGroup::new(Owner::Partner, 1) };
    config.tenants = vec![moved, TenantGroup::new(Owner::Partner, 1), TenantGroup::new(Owner::Standalone, 1)];
    Simulator::start(config).await.unwrap()
}

async fn graphql(sim: &Simulator, client: &Client, tenant: usize, query: &str, variables: Value) -> Reply {
    let id = sim.tenants()[tenant].id.clone();
    let body = json!({ "query": query, "variables": variables });
    let url = format!("{}/graphql", sim.fusion_url());
    send(client.request("POST", &url, Some(("X-Tenant-ID", &id)), Some(&body))).await.unwrap()
}

const TYPES: &str = "query Q { caseTypes(arguments: {}) { types { id name } } }";

#[tokio::test]
async fn case_types_are_empty_until_the_tenant_moves() {
    let sim = simulator().await;
    let client = Client::partner(&sim).await;
    let moved = graphql(&sim, &client, 0, TYPES, json!({})).await.json();
    let first = &moved["data"]["caseTypes"]["types"][0];
    assert_eq!(first["name"], "SECURITY_INVESTIGATION");
    assert_eq!(first.as_object().unwrap().len(), 2, "the selected members alone");
    let unmoved = graphql(&sim, &client, 1, TYPES, json!({})).await.json();
    assert_eq!(unmoved, json!({"data": {"caseTypes": {"types": []}}}));
    let url = format!("{}/control/tenants/{}", sim.control_url(), sim.tenants()[1].id);
    let body = json!({"platform": "fusion"}).to_string();
    let reply = send(http().post(url).header("content-type", "application/json").body(body)).await.unwrap();
    assert_eq!(reply.json()["platform"], "fusion");
    let moved = graphql(&sim, &client, 1, TYPES, json!({})).await.json();
    assert_eq!(moved["data"]["caseTypes"]["types"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn invalid_document_is_rejected() {
    let sim = simulator().await;
    let client = Client::partner(&sim).await;
    for query in
        ["query {", "{ nothing }", "{ case(arguments: {id: 7.5}) { id } }", "mutation { cases { id } }"]
    {
        let reply = graphql(&sim, &client, 0, query, json!({})).await;
        assert_eq!(reply.status, 400, "{query}");
        assert_eq!(reply.json()["errors"][0]["extensions"]["code"], "GRAPHQL_VALIDATION_FAILED", "{query}");
    }
}

#[tokio::test]
async fn two_case_fields_in_one_document_are_busy() {
    let sim = simulator().await;
    let client = Client::partner(&sim).await;
    let one = graphql(&sim, &client, 0, "{ cases(arguments: {}) { cases { id } } }", json!({})).await.json();
    let id = one["data"]["cases"]["cases"][0]["id"].clone();
    let query =
        "query Q($id: ID!) { a: case(arguments: {id: $id}) { id } b: case(arguments: {id: $id}) { id } }";
    let both = graphql(&sim, &client, 0, query, json!({ "id": id })).await;
    assert_eq!(both.status, 200);
    let both = both.json();
    assert_eq!(both["data"], json!({"a": null, "b": null}));
    assert_eq!(
        (&both["errors"][0]["message"], &both["errors"][1]["path"]),
        (&json!("conn busy"), &json!(["b"]))
    );
    let query = "{ caseTypes(arguments: {}) { types { id } } caseSources(arguments: {}) { sources { id } } }";
    assert!(graphql(&sim, &client, 0, query, json!({})).await.json().get("errors").is_none());
}

#[tokio::test]
async fn every_second_create_case_fails() {
    let sim = simulator().await;
    let client = Client::partner(&sim).await;
    let query = "query Q { caseTypes(arguments: {}) { types { id } } \
                 casePrimaryStatuses(arguments: {}) { primaryStatuses { id } } }";
    let ids = graphql(&sim, &client, 0, query, json!({})).await.json();
    let input = json!({
        "typeId": ids["data"]["caseTypes"]["types"][0]["id"], "severity": 4, "title": "x",
        "primaryStatusId": ids["data"]["casePrimaryStatuses"]["primaryStatuses"][0]["id"],
    });
    let query = "mutation M($input: CreateCaseInput!) { createCase(input: $input) { shortId } }";
    for number in 0..4 {
        let reply = graphql(&sim, &client, 0, query, json!({ "input": input })).await.json();
        if number % 2 == 0 {
            assert_eq!(reply["data"]["createCase"], Value::Null);
            assert_eq!(reply["errors"][0]["path"], json!(["partnerPreferences"]));
        } else {
            assert_eq!(reply["data"]["createCase"], json!({"shortId": format!("CSE{:05}", 13 + number / 2)}));
        }
    }
}

#[tokio::test]
async fn access_follows_the_credential() {
    let sim = simulator().await;
    let client = Client::partner(&sim).await;
    assert_eq!(graphql(&sim, &client, 2, TYPES, json!({})).await.status, 403, "not the partner's");
    let url = format!("{}/graphql", sim.fusion_url());
    let body = json!({ "query": TYPES });
    let reply = send(client.request("POST", &url, None, Some(&body))).await.unwrap();
    assert_eq!(reply.status, 401, "without a tenant");
    let stranger = Client { http: http(), token: "x".to_owned() };
    assert_eq!(graphql(&sim, &stranger, 0, TYPES, json!({})).await.status, 401);
    let reader = Client::new(&sim, "partner", "read_only").await;
    let query = "mutation M { deleteCaseComment(input: {commentId: \"1\"}) { id } }";
    let reply = graphql(&sim, &reader, 0, query, json!({})).await.json();
    assert_eq!(reply["errors"][0]["extensions"]["code"], "FORBIDDEN");
}
