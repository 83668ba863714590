//! The operations of this crate compared with the published list of Sophos.

mod support;

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::{Map, Value};
use sophos_api::{
    ApiHost, Operation, RequestTarget, Route,
    models::{AlertActionKind, EndpointView, IsolationStatus},
    operations::{
        account_health::checks::CheckAccountHealth,
        common::alerts::{ActOnAlert, GetAlert, ListAlerts, SearchAlerts},
        endpoint::endpoints::{GetEndpoint, ListEndpoints},
        endpoint::isolation::{GetIsolation, UpdateIsolation, UpdateIsolations},
        organization::tenants::{GetOrganizationTenant, ListOrganizationTenants},
        partner::tenants::{GetPartnerTenant, ListPartnerTenants},
        siem::{alerts::ListSiemAlerts, events::ListSiemEvents},
        token::RequestToken,
        whoami::GetWhoami,
    },
};

#[derive(Debug, PartialEq, Deserialize)]
struct PublishedOperation {
    method: String,
    host: String,
    path: String,
    headers: Vec<String>,
    query: Vec<Named>,
    variables: Vec<Named>,
    body: Option<Map<String, Value>>,
}

#[derive(Debug, PartialEq, Deserialize)]
struct Named {
    name: String,
}

/// One operation of this crate, with a value in every field.
struct CrateOperation {
    name: &'static str,
    route: Route,
    request: http::Request<Vec<u8>>,
}

fn crate_operation<O: Operation>(filled: O) -> CrateOperation {
    let target = RequestTarget::with_id("https://api.example".parse().expect("a host"), "the-id");
    let name = std::any::type_name::<O>();
    CrateOperation { name, route: O::ROUTE, request: filled.to_request(&target).expect(name) }
}

/// A time that every operation accepts.
const TIME: &str = "2026-11-23T10:00:00.000Z";

fn texts() -> Vec<String> {
    list()
}

fn list<T: for<'a> From<&'a str>>() -> Vec<T> {
    vec![T::from("x"), T::from("y")]
}

fn list_endpoints() -> ListEndpoints {
    ListEndpoints::new()
        .health_status(list())
        .r#type(list())
        .tamper_protection_enabled(true)
        .tamper_protection_supported(true)
        .lockdown_status(list())
        .overall_encryption_status(texts())
        .last_seen_before(TIME)
        .last_seen_after(TIME)
        .last_os_update_before(TIME)
        .last_os_update_after(TIME)
        .last_agent_update_before(TIME)
        .last_agent_update_after(TIME)
        .ids(texts())
        .isolation_status(IsolationStatus::Isolated)
        .hostname_contains("x")
        .serial_number_contains("x")
        .associated_person_contains("x")
        .group_name_contains("x")
        .search("x")
        .search_fields(texts())
        .ip_addresses(texts())
        .mac_addresses(texts())
        .online(false)
        .cloud(texts())
        .assigned_to_group(true)
        .group_ids(texts())
        .view(EndpointView::Full)
        .fields(texts())
        .sort(texts())
        .page_size(1)
        .page_from_key("x")
        .page_total(true)
}

fn list_alerts() -> ListAlerts {
    ListAlerts::new()
        .from(TIME)
        .to(TIME)
        .group_key("x")
        .product(list())
        .category(list())
        .severity(list())
        .ids(texts())
        .sort(texts())
        .fields(texts())
        .page_size(1)
        .page_from_key("x")
        .page_total(true)
}

fn search_alerts() -> SearchAlerts {
    SearchAlerts::new(list_alerts())
}

fn operations() -> Vec<CrateOperation> {
    let id = || "x".to_owned();
    let credentials = support::credentials();
    vec![
        crate_operation(RequestToken::new(&credentials)),
        crate_operation(GetWhoami::new()),
        crate_operation(CheckAccountHealth::new().checks(texts()).products(texts())),
        crate_operation(ListPartnerTenants::new().page(1).page_size(1).page_total(true).fields(texts())),
        crate_operation(GetPartnerTenant::new(id())),
        crate_operation(ListOrganizationTenants::new().page(1).page_size(1).page_total(true)),
        crate_operation(GetOrganizationTenant::new(id())),
        crate_operation(list_alerts()),
        crate_operation(search_alerts()),
        crate_operation(GetAlert::new(id())),
        crate_operation(ActOnAlert::new(id(), AlertActionKind::CleanPua).message("x")),
        crate_operation(list_endpoints()),
        crate_operation(GetEndpoint::full(id()).fields(texts())),
        crate_operation(GetIsolation::new(id())),
        crate_operation(UpdateIsolation::new(id(), true).comment("x")),
        crate_operation(UpdateIsolations::new(texts(), true).comment("x")),
        crate_operation(ListSiemEvents::new().limit(200).cursor("x").from_date(1).exclude_types(texts())),
        crate_operation(ListSiemAlerts::new().limit(200).cursor("x").from_date(1)),
    ]
}

/// The published operations of the fixture: names alone.
fn published() -> Vec<PublishedOperation> {
    serde_json::from_str(&support::fixture("published_operations.json")).expect("a list")
}

fn recorded() -> Vec<PublishedOperation> {
    let text = support::read_text(&support::recorded("sophos/operations.json"));
    serde_json::from_str(&text).expect("the published list")
}

/// Each operation of this crate with its entries in the published list: one, or two
/// for the token.
fn pairs(published: &[PublishedOperation]) -> Vec<(CrateOperation, Vec<&PublishedOperation>)> {
    let same = |ours: &CrateOperation, theirs: &&PublishedOperation| {
        ours.route.method.as_str() == theirs.method && ours.route.path == theirs.path
    };
    let entries = |ours: &CrateOperation| published.iter().filter(|theirs| same(ours, theirs)).collect();
    operations()
        .into_iter()
        .map(|ours| (entries(&ours), ours))
        .map(|(entries, ours)| (ours, entries))
        .collect()
}

fn query_names(request: &http::Request<Vec<u8>>) -> BTreeSet<&str> {
    let query = request.uri().query().unwrap_or_default();
    query.split('&').filter_map(|pair| pair.split_once('=')).map(|(name, _)| name).collect()
}

/// The fields of a JSON or form body.
fn body_names(request: &http::Request<Vec<u8>>) -> BTreeSet<String> {
    let body = std::str::from_utf8(request.body()).expect("text");
    match serde_json::from_str::<Map<String, Value>>(body) {
        Ok(members) => members.into_iter().map(|(name, _)| name).collect(),
        Err(_) => {
            body.split('&').filter_map(|pair| pair.split_once('=')).map(|(name, _)| name.to_owned()).collect()
        }
    }
}

#[test]
fn operations_match_published_methods_and_paths() {
    let published = published();
    for (ours, theirs) in pairs(&published) {
        assert!(!theirs.is_empty(), "{}: {}", ours.name, ours.route);
        let named: Vec<_> =
            ours.route.path.split('/').filter_map(|segment| segment.strip_prefix(':')).collect();
        let variables: Vec<_> = theirs[0].variables.iter().map(|variable| variable.name.as_str()).collect();
        assert_eq!(named, variables, "{}", ours.name);
    }
}

#[test]
fn operations_send_the_published_scope_header() {
    let published = published();
    for (ours, theirs) in pairs(&published) {
        let header: Vec<_> = ours.route.scope.name().into_iter().collect();
        assert_eq!(header, theirs[0].headers, "{}", ours.name);
        for name in ["X-Tenant-ID", "X-Partner-ID", "X-Organization-ID"] {
            assert_eq!(ours.request.headers().contains_key(name), header.contains(&name), "{}", ours.name);
        }
    }
}

#[test]
fn operations_use_the_published_host() {
    let published = published();
    for (ours, theirs) in pairs(&published) {
        let host = match ours.route.host {
            ApiHost::Identity => "id.sophos.com",
            ApiHost::Global => "api.central.sophos.com",
            ApiHost::DataRegion => "api-{{dataRegion}}.central.sophos.com",
            other => panic!("{}: {other:?}", ours.name),
        };
        assert_eq!(host, theirs[0].host, "{}: {}", ours.name, ours.route);
    }
}

#[test]
fn operations_send_only_published_names() {
    let published = published();
    for (ours, theirs) in pairs(&published) {
        let query: BTreeSet<_> =
            theirs.iter().flat_map(|entry| &entry.query).map(|query| query.name.as_str()).collect();
        let members: BTreeSet<_> =
            theirs.iter().filter_map(|entry| entry.body.as_ref()).flat_map(Map::keys).cloned().collect();
        let sent = query_names(&ours.request);
        assert!(sent.is_subset(&query), "{}: {:?}", ours.name, sent.difference(&query));
        let sent = body_names(&ours.request);
        assert!(sent.is_subset(&members), "{}: {:?}", ours.name, sent.difference(&members));
    }
}

#[test]
fn operations_send_every_member() {
    for (operation, count) in [(crate_operation(list_endpoints()), 32), (crate_operation(list_alerts()), 12)]
    {
        assert_eq!(query_names(&operation.request).len(), count, "{}", operation.name);
    }
    assert_eq!(body_names(&crate_operation(search_alerts()).request).len(), 12);
}

#[test]
fn listings_have_every_published_filter() {
    let published = published();
    for path in [
        "/endpoint/v1/endpoints",
        "/common/v1/alerts",
        "/siem/v1/events",
        "/siem/v1/alerts",
        "/account-health-check/v1/health-check",
        "/organization/v1/tenants",
    ] {
        let mut listed = 0;
        for (ours, theirs) in pairs(&published) {
            if ours.route.path == path {
                let query: BTreeSet<_> = theirs[0].query.iter().map(|query| query.name.as_str()).collect();
                assert_eq!(query_names(&ours.request), query, "{path}");
                listed += 1;
            }
        }
        assert_eq!(listed, 1, "{path}");
    }
}

/// Every operation of a file is in its `listed!`, and so in the tests and the catalog.
#[test]
fn operations_of_each_source_file_are_listed() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/operations");
    let mut count = 0;
    for family in std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("a family").path()) {
        if !family.is_dir() {
            continue;
        }
        for file in std::fs::read_dir(family).expect("a folder").map(|entry| entry.expect("a file").path()) {
            let source = std::fs::read_to_string(&file).expect("a source file");
            let listed = source.rsplit_once("listed! {").map_or("", |(_, listed)| listed);
            let listed: BTreeSet<_> = listed.split_whitespace().collect();
            let declared = source.split("pub struct ").skip(1).filter_map(|rest| rest.split_once(" = "));
            let declared =
                declared.map(|(name, _)| name).filter(|name| name.chars().all(char::is_alphanumeric));
            let by_hand =
                source.split("\nimpl Operation for ").skip(1).filter_map(|rest| rest.split_once(' '));
            for name in declared.chain(by_hand.map(|(name, _)| name)) {
                assert!(listed.contains(name), "{name} in {}", file.display());
                count += 1;
            }
        }
    }
    assert!(count > 327, "{count}");
}

#[test]
#[ignore = "needs recorded material beside the checkout: `cargo xtask test` runs it where that is"]
fn fixture_matches_the_published_operation_list() {
    let (here, recorded) = (published(), recorded());
    for ((ours, here), (_, recorded)) in pairs(&here).into_iter().zip(pairs(&recorded)) {
        assert_eq!(here.len(), recorded.len(), "{}", ours.name);
        for (here, recorded) in here.into_iter().zip(recorded) {
            let members = |one: &PublishedOperation| {
                one.body.as_ref().map(|body| body.keys().cloned().collect::<BTreeSet<_>>())
            };
            assert_eq!((&here.host, &here.headers), (&recorded.host, &recorded.headers), "{}", ours.name);
            assert_eq!(
                (&here.query, &here.variables),
                (&recorded.query, &recorded.variables),
                "{}",
                ours.name
            );
            assert_eq!(members(here), members(recorded), "{}", ours.name);
        }
    }
}
