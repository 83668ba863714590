//! The requests of the operations.

mod support;

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;
use sophos_api::{
    Error, ErrorKind, Operation, RequestTarget, Route, WithRaw,
    models::{
        AlertActionKind, AlertCategory, AlertSeverity, EndpointType, HealthStatus, IsolationStatus, Product,
        Whoami,
    },
    operations::{
        account_health::checks::CheckAccountHealth,
        common::alerts::{ActOnAlert, GetAlert, ListAlerts, SearchAlerts},
        endpoint::endpoints::{GetEndpoint, ListEndpoints},
        endpoint::isolation::{GetIsolation, MAX_COMMENT_LEN, MAX_IDS, UpdateIsolation, UpdateIsolations},
        organization::tenants::ListOrganizationTenants,
        partner::tenants::{GetPartnerTenant, ListPartnerTenants},
        siem::{alerts::ListSiemAlerts, events::ListSiemEvents},
        token::RequestToken,
        whoami::GetWhoami,
    },
};

fn target() -> RequestTarget {
    RequestTarget::with_id("https://api-eu01.central.sophos.com".parse().expect("a host"), "11f104c5")
}

fn request<O: Operation>(operation: &O) -> Result<http::Request<Vec<u8>>, Error> {
    operation.to_request(&target())
}

/// The method, path and query.
fn request_line<O: Operation>(operation: &O) -> String {
    let request = request(operation).expect("a request");
    assert_eq!(request.uri().host(), Some("api-eu01.central.sophos.com"));
    format!("{} {}{}", request.method(), request.uri().path(), query(&request))
}

/// The query in alphabetical order: its own order is not defined.
fn query(request: &http::Request<Vec<u8>>) -> String {
    let Some(query) = request.uri().query() else { return String::new() };
    let mut members: Vec<_> = query.split('&').collect();
    members.sort_unstable();
    format!("?{}", members.join("&"))
}

/// The JSON body in alphabetical order.
fn body(request: &http::Request<Vec<u8>>) -> String {
    match serde_json::from_slice::<BTreeMap<String, Value>>(request.body()) {
        Ok(members) => serde_json::to_string(&members).expect("JSON"),
        Err(_) => String::from_utf8(request.body().clone()).expect("text"),
    }
}

fn full_request<O: Operation>(operation: &O) -> String {
    let request = request(operation).expect("a request");
    let headers: String = request
        .headers()
        .iter()
        .map(|(name, value)| format!("{name}: {}\n", value.to_str().expect("plain text")))
        .collect();
    let address = request.uri().to_string();
    let address = address.split('?').next().expect("an address");
    format!("{} {address}{}\n{headers}\n{}", request.method(), query(&request), body(&request))
}

#[test]
fn get_request_has_a_query_and_no_body() {
    let operation = ListAlerts::new()
        .from("2026-11-23T10:00:00.000Z")
        .group_key("MSxFdmVudDo6RQ==")
        .product([Product::Endpoint, Product::Server])
        .category([AlertCategory::Malware, AlertCategory::from("neu")])
        .severity([AlertSeverity::High])
        .sort(["raisedAt:asc"])
        .page_total(false);
    insta::assert_snapshot!(full_request(&operation), @r"
    GET https://api-eu01.central.sophos.com/common/v1/alerts?category=malware,neu&from=2026-11-23T10%3A00%3A00.000Z&groupKey=MSxFdmVudDo6RQ%3D%3D&pageTotal=false&product=endpoint,server&severity=high&sort=raisedAt%3Aasc
    accept: application/json
    x-tenant-id: 11f104c5
    ");
}

#[test]
fn post_request_has_a_json_body_and_no_query() {
    let operation = UpdateIsolations::new(["a", "b"], true).comment("\"suspicious\"\n health");
    insta::assert_snapshot!(full_request(&operation), @r#"
    POST https://api-eu01.central.sophos.com/endpoint/v1/endpoints/isolation
    accept: application/json
    x-tenant-id: 11f104c5
    content-type: application/json

    {"comment":"\"suspicious\"\n health","enabled":true,"ids":["a","b"]}
    "#);
}

#[test]
fn patch_request_has_the_id_only_in_the_path() {
    let operation = UpdateIsolation::new("e-1", false);
    insta::assert_snapshot!(full_request(&operation), @r#"
    PATCH https://api-eu01.central.sophos.com/endpoint/v1/endpoints/e-1/isolation
    accept: application/json
    x-tenant-id: 11f104c5
    content-type: application/json

    {"enabled":false}
    "#);
}

#[test]
fn token_request_is_a_percent_encoded_form() {
    let credentials = sophos_api::Credentials::new("an id", "s&c=r+t%/é");
    insta::assert_snapshot!(full_request(&RequestToken::new(&credentials)), @r"
    POST https://api-eu01.central.sophos.com/api/v2/oauth2/token
    accept: application/json
    content-type: application/x-www-form-urlencoded

    grant_type=client_credentials&scope=token&client_id=an%20id&client_secret=s%26c%3Dr%2Bt%25%2F%C3%A9
    ");
}

#[test]
fn request_has_the_header_of_its_scope() {
    let header = |request: http::Request<Vec<u8>>| {
        let ids = request.headers().iter().filter(|(_, value)| *value == "11f104c5");
        ids.map(|(name, _)| name.as_str().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(header(request(&ListEndpoints::default()).expect("a request")), ["x-tenant-id"]);
    assert_eq!(header(request(&ListPartnerTenants::all()).expect("a request")), ["x-partner-id"]);
    assert_eq!(header(request(&ListOrganizationTenants::all()).expect("a request")), ["x-organization-id"]);
    assert!(header(request(&GetWhoami::new()).expect("a request")).is_empty());
}

#[test]
fn request_rejects_an_id_that_is_not_a_header_value() {
    let target =
        RequestTarget::with_id("https://api.example".parse().expect("a host"), "11f1\r\nX-Partner-ID: 7");
    assert_eq!(
        ListEndpoints::default().to_request(&target).expect_err("no header").kind(),
        ErrorKind::Invalid
    );
}

#[test]
fn path_ids_are_percent_encoded() {
    for (id, segment) in [
        ("70e3781d-c0f6-4e72-b6aa-3c3ef21f3dbb", "70e3781d-c0f6-4e72-b6aa-3c3ef21f3dbb"),
        ("a/b", "a%2Fb"),
        ("../../partner", "..%2F..%2Fpartner"),
        ("a..b", "a..b"),
        ("a?b=c#d", "a%3Fb%3Dc%23d"),
        ("%2e%2e", "%252e%252e"),
        ("a b\u{0}", "a%20b%00"),
        ("é", "%C3%A9"),
        ("\\", "%5C"),
    ] {
        assert_eq!(request_line(&GetAlert::new(id)), format!("GET /common/v1/alerts/{segment}"), "{id}");
        assert_eq!(
            request_line(&GetIsolation::new(id)),
            format!("GET /endpoint/v1/endpoints/{segment}/isolation"),
            "{id}"
        );
    }
}

#[test]
fn path_ids_that_are_empty_or_dots_are_rejected() {
    for id in ["", ".", "..", "..."] {
        let id = || id.to_owned();
        let act = ActOnAlert::new(id(), AlertActionKind::CleanPua);
        for error in [
            request(&GetAlert::new(id())).expect_err("no id"),
            request(&act).expect_err("no id"),
            request(&GetEndpoint::full(id())).expect_err("no id"),
            request(&UpdateIsolation::new(id(), true)).expect_err("no id"),
            request(&GetPartnerTenant::new(id())).expect_err("no id"),
        ] {
            assert_eq!((error.kind(), error.status()), (ErrorKind::Invalid, None), "\"{}\"", id());
            assert!(error.to_string().contains("expected a value that is not empty"), "{error}");
        }
    }
}

#[test]
fn request_omits_absent_members() {
    for (sent, expected) in [
        (request_line(&ListEndpoints::default()), "GET /endpoint/v1/endpoints"),
        (request_line(&ListAlerts::new()), "GET /common/v1/alerts"),
        (request_line(&ListSiemEvents::default()), "GET /siem/v1/events"),
        (request_line(&CheckAccountHealth::new()), "GET /account-health-check/v1/health-check"),
        (request_line(&GetWhoami::new()), "GET /whoami/v1"),
    ] {
        assert_eq!(sent, expected);
    }
}

#[test]
fn query_lists_are_joined_by_commas_and_encoded() {
    let operation = ListEndpoints::new()
        .health_status([HealthStatus::Bad, HealthStatus::Unknown])
        .r#type([EndpointType::Server])
        .cloud(["aws:i-0123", "gcp"])
        .mac_addresses(["00:5a:52", "a,b"])
        .isolation_status(IsolationStatus::NotIsolated)
        .online(false)
        .hostname_contains("ÄB C&d");
    insta::assert_snapshot!(request_line(&operation), @"GET /endpoint/v1/endpoints?cloud=aws%3Ai-0123,gcp&healthStatus=bad,unknown&hostnameContains=%C3%84B%20C%26d&isolationStatus=notIsolated&macAddresses=00%3A5a%3A52,a%2Cb&online=false&type=server");
}

#[test]
fn keys_and_cursors_are_encoded_losslessly() {
    for key in ["WyIzYmQ1NGY+Ly8=", "2000432653939", "AAAABw==", "a+b/c=d&e%20f", "VjJfQ1VSU09SfDIwMTk="] {
        let key = key.to_owned();
        let operations = [
            request_line(&ListEndpoints::new().page_from_key(&key)),
            request_line(&ListAlerts::new().page_from_key(&key)),
            request_line(&ListSiemEvents::new().cursor(&key)),
            request_line(&ListSiemAlerts::new().cursor(&key)),
        ];
        for sent in operations {
            let (_, value) =
                sent.rsplit_once("?").and_then(|(_, query)| query.split_once('=')).expect("a query");
            assert!(!value.contains(['=', '+', '/', '&', ' ']), "{sent}");
            let decoded = percent_encoding::percent_decode_str(value).decode_utf8().expect("text");
            assert_eq!(decoded, key);
        }
    }
}

#[test]
fn post_request_without_members_sends_an_empty_object() {
    #[derive(Debug, Serialize)]
    struct Scan {
        #[serde(rename = "endpointId")]
        endpoint_id: String,
    }
    impl Operation for Scan {
        type Response = WithRaw<Whoami>;
        const ROUTE: Route = Route::post("/endpoint/v1/endpoints/:endpointId/scans");
    }
    let scan = request(&Scan { endpoint_id: "e".into() }).expect("a request");
    assert_eq!((scan.uri().path(), scan.body().as_slice()), ("/endpoint/v1/endpoints/e/scans", &b"{}"[..]));
    let search = request(&SearchAlerts::default()).expect("a request");
    assert_eq!(search.body(), b"{}");
    assert_eq!(search.headers()["content-type"], "application/json");
}

#[test]
fn request_rejects_an_operation_that_is_not_an_object() {
    #[derive(Debug, Serialize)]
    struct Bare(u8);
    impl Operation for Bare {
        type Response = WithRaw<Whoami>;
        const ROUTE: Route = Route::get("/whoami/v1");
    }
    assert_eq!(request(&Bare(7)).expect_err("no object").kind(), ErrorKind::Invalid);
}

fn assert_invalid(operation: &impl Operation, why: &str) {
    let error = request(operation).expect_err(why);
    assert_eq!((error.kind(), error.status()), (ErrorKind::Invalid, None), "{why}");
    assert!(!error.is_retryable());
    assert!(error.to_string().contains(why), "{error}");
}

#[test]
fn siem_page_size_is_validated() {
    for limit in [0, 1, 199, 1_001, u32::MAX] {
        let why = format!("invalid limit \"{limit}\": expected 200 to 1000");
        assert_invalid(&ListSiemEvents::new().limit(limit), &why);
        assert_invalid(&ListSiemAlerts::new().limit(limit), &why);
    }
    for limit in [200, 1_000] {
        let sent = request_line(&ListSiemEvents::new().limit(limit));
        assert_eq!(sent, format!("GET /siem/v1/events?limit={limit}"));
        let sent = request_line(&ListSiemAlerts::new().limit(limit).from_date(1_700_000_000));
        assert_eq!(sent, format!("GET /siem/v1/alerts?from_date=1700000000&limit={limit}"));
    }
}

#[test]
fn isolation_ids_and_comment_length_are_validated() {
    let many = |count: usize| UpdateIsolations::new((0..count).map(|number| number.to_string()), true);
    assert_invalid(&many(0), "invalid ids: 0 items given, expected 1 to 50");
    assert_invalid(&many(MAX_IDS + 1), "invalid ids: 51 items given, expected 1 to 50");
    assert!(request(&many(1)).is_ok() && request(&many(MAX_IDS)).is_ok());

    // The limit is in characters, not in bytes.
    for (length, allowed) in [(0, true), (MAX_COMMENT_LEN, true), (MAX_COMMENT_LEN + 1, false)] {
        let comment = "é".repeat(length);
        let one = UpdateIsolation::new("e", true).comment(&comment);
        let several = many(2).comment(&comment);
        if allowed {
            assert!(request(&one).is_ok() && request(&several).is_ok(), "{length}");
        } else {
            assert_invalid(&one, "401 characters");
            assert_invalid(&several, "401 characters");
        }
    }
}

#[test]
fn page_numbers_and_sizes_of_listings_are_validated() {
    assert_invalid(&ListPartnerTenants::new().page(0), "invalid page \"0\": expected at least 1");
    assert_invalid(&ListOrganizationTenants::new().page(0), "invalid page \"0\": expected at least 1");
    assert_invalid(&ListAlerts::new().page_size(0), "invalid pageSize \"0\": expected at least 1");
    let search = SearchAlerts::new(ListAlerts::new().page_size(0));
    assert_invalid(&search, "invalid pageSize \"0\": expected at least 1");
    assert!(request(&ListAlerts::new().page_size(5_000)).is_ok(), "the service reduces it");
    for size in [0, 101] {
        let why = format!("invalid pageSize \"{size}\": expected 1 to 100");
        assert_invalid(&ListPartnerTenants::new().page_size(size), &why);
        assert_invalid(&ListOrganizationTenants::new().page_size(size), &why);
    }
    for size in [0, 501] {
        let why = format!("invalid pageSize \"{size}\": expected 1 to 500");
        assert_invalid(&ListEndpoints::new().page_size(size), &why);
    }
    assert!(request(&ListEndpoints::new().page_size(500)).is_ok());
    assert!(request(&ListPartnerTenants::new().page(1).page_size(100)).is_ok());
}

#[test]
fn times_of_listings_are_validated() {
    for time in ["", "yesterday", "2026-11-23", "2026-11-23T10:00:00", "1700000000", "-P90D"] {
        let why = format!("\"{time}\": expected a UTC time");
        assert_invalid(&ListAlerts::new().from(time), &format!("invalid from {why}"));
        assert_invalid(&ListAlerts::new().to(time), &format!("invalid to {why}"));
        assert_invalid(&SearchAlerts::new(ListAlerts::new().to(time)), &format!("invalid to {why}"));
    }
    for time in ["", "yesterday", "2026-11-23T10:00:00", "90D", "90 days", "-90"] {
        let why = format!("\"{time}\": expected a UTC time such as");
        let all = ListEndpoints::new;
        assert_invalid(&all().last_seen_before(time), &format!("invalid lastSeenBefore {why}"));
        assert_invalid(&all().last_seen_after(time), &format!("invalid lastSeenAfter {why}"));
        assert_invalid(&all().last_os_update_before(time), &format!("invalid lastOsUpdateBefore {why}"));
        assert_invalid(&all().last_agent_update_after(time), &format!("invalid lastAgentUpdateAfter {why}"));
    }
    for time in ["2026-11-23T10:00:00.000Z", "2026-11-23T10:00:00Z", "-P90D", "-PT12H"] {
        assert!(request(&ListEndpoints::new().last_seen_after(time)).is_ok(), "{time}");
    }
    for seconds in [-1, 1_700_000_000_000] {
        let why = format!("invalid from_date \"{seconds}\": expected seconds since the Unix epoch");
        assert_invalid(&ListSiemEvents::new().from_date(seconds), &why);
        assert_invalid(&ListSiemAlerts::new().from_date(seconds), &why);
    }
}

#[test]
fn invalid_operation_of_a_partner_is_not_sent() {
    use sophos_api::ApiClient;
    let script = support::ScriptedTransport::with_responses([]);
    let operation = ListPartnerTenants::new().page_size(101);
    let error = futures_executor::block_on(support::client(&script).send(&operation)).expect_err("invalid");
    assert_eq!(error.operation(), Some("GET /partner/v1/tenants"));
    assert!(error.is_invalid() && script.sent().is_empty(), "not even a token is requested");
}

#[test]
fn invalid_operation_is_not_sent() {
    use sophos_api::ApiClient;
    let script = support::ScriptedTransport::with_responses([]);
    let tenant = support::tenant(&support::client(&script));
    let operation = ListSiemEvents::new().limit(199);
    let error = futures_executor::block_on(tenant.send(&operation)).expect_err("invalid");
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.to_string().starts_with("GET /siem/v1/events for tenant 11f104c5"), "{error}");
    assert!(script.sent().is_empty(), "not even a token is requested");
}
