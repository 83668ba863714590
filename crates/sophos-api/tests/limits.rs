//! Bounds of values that are checked before anything is sent.

use sophos_api::{
    Operation, RequestTarget,
    operations::{
        accounts::access_tokens::{AccessTokenType, CreateAccessToken, UpdateAccessToken},
        audit::audit_events::ListAuditEvents,
        detections::{detection_groups::StartDetectionGroupsQuery, queries::StartDetectionsQuery},
        endpoint::{
            endpoint_groups::AddEndpointsToGroup,
            exploit_mitigation::{CreateMitigatedApplication, UpdateMitigatedApplication},
            migrations::{ReceiveMigration, SendMigration},
            web_control::{CreateLocalSite, UpdateLocalSite},
        },
        firewall::{
            configuration::CompleteConfigUpload,
            mdr_threat_feed::{CreateIndicators, DeleteIndicators, Indicator},
        },
        live_discover::{
            query_run_results,
            query_runs::{AdHocQuery, EndpointFilter, EndpointMatch, SavedQuery, StartQueryRun},
        },
        partner::billing::ListUsage,
        web_filters::{profile_metadata::GetProfileMetadata, profiles::ListProfiles, site_lists},
        xdr_query::query_runs,
    },
};

const TIME: &str = "2026-11-23T10:00:00.000Z";

fn check(operation: &impl Operation) -> Result<(), String> {
    let target = RequestTarget::with_id("https://api.example".parse().expect("a host"), "the-id");
    operation.to_request(&target).map(drop).map_err(|error| error.to_string())
}

/// Checks that each of `accepted` is valid, and that each of `rejected` is invalid with
/// the name of the field and the expected range.
fn assert_bounds<O: Operation, V: Copy + std::fmt::Debug>(
    operation: impl Fn(V) -> O,
    accepted: &[V],
    rejected: &[V],
    name: &str,
    expected: &str,
) {
    for value in accepted {
        assert_eq!(check(&operation(*value)), Ok(()), "{name} {value:?}");
    }
    for value in rejected {
        let error = check(&operation(*value)).expect_err(name);
        let start = format!("invalid {name}");
        assert!(error.contains(&start) && error.ends_with(&format!("expected {expected}")), "{error}");
    }
}

fn ids(count: usize) -> Vec<String> {
    (0..count).map(|number| number.to_string()).collect()
}

fn text(length: usize) -> String {
    "ä".repeat(length)
}

#[test]
fn texts_are_bounded_in_characters() {
    let create = |length| CreateAccessToken::new(text(length), AccessTokenType::Sls);
    assert_bounds(create, &[1, 50], &[0, 51], "label", "1 to 50");
    let update = |length| UpdateAccessToken::new("t").label(text(length));
    assert_bounds(update, &[1, 50], &[0, 51], "label", "1 to 50");
    assert_bounds(|length| CreateLocalSite::new(text(length)), &[1, 2_048], &[0, 2_049], "url", "1 to 2048");
    let comment = |length| UpdateLocalSite::new("s").comment(text(length));
    assert_bounds(comment, &[0, 300], &[301], "comment", "0 to 300");
    let path = |length| CreateMitigatedApplication::new([text(length)]);
    assert_bounds(path, &[1, 260], &[0, 261], "path", "1 to 260");
    let path = |length| UpdateMitigatedApplication::new("a").paths([text(length)]);
    assert_bounds(path, &[1, 260], &[0, 261], "path", "1 to 260");
    let key = |length: usize| {
        CompleteConfigUpload::new("t", ["f"], "md5", 1).secure_master_key("k".repeat(length).into())
    };
    assert_bounds(key, &[0, 128], &[129], "secureMasterKey", "0 to 128");
}

#[test]
fn lists_are_bounded_in_items() {
    let indicators = |count| CreateIndicators::new("f", vec![Indicator::default(); count]);
    assert_bounds(indicators, &[1, 100], &[0, 101], "indicators", "1 to 100");
    let indicators = |count| DeleteIndicators::new("f", vec![Indicator::default(); count]);
    assert_bounds(indicators, &[1, 100], &[0, 101], "indicators", "1 to 100");
    let receive = |count| ReceiveMigration::new("t", ids(count));
    assert_bounds(receive, &[1, 1_000], &[0, 1_001], "endpoints", "1 to 1000");
    let send = |count| SendMigration::new("job", "token".into(), ids(count));
    assert_bounds(send, &[1, 1_000], &[0, 1_001], "endpoints", "1 to 1000");
    assert_bounds(
        |count| AddEndpointsToGroup::new("g", ids(count)),
        &[1, 999],
        &[0, 1_000],
        "ids",
        "1 to 999",
    );
    let import = |count| CompleteConfigUpload::new("t", ids(count), "md5", 1);
    assert_bounds(import, &[1, 25], &[0, 26], "firewallIds", "1 to 25");
    assert_bounds(
        |count| CreateMitigatedApplication::new(ids(count)),
        &[1, 100],
        &[0, 101],
        "paths",
        "1 to 100",
    );
}

#[test]
fn numbers_are_bounded_by_value() {
    assert_bounds(|month| ListUsage::new(2026, month), &[1, 12], &[0, 13], "month", "1 to 12");
    let category = |id| CreateLocalSite::new("x").category_id(id);
    assert_bounds(category, &[1, 57], &[0, 58, -1], "categoryId", "1 to 57");
    let severity = |value| StartDetectionsQuery::new().severity([5, value]);
    assert_bounds(severity, &[0, 10], &[-1, 11], "severity", "0 to 10");
    let severity = |value| StartDetectionGroupsQuery::new().severity([value]);
    assert_bounds(severity, &[0, 10], &[-1, 11], "severity", "0 to 10");
}

#[test]
fn page_sizes_are_bounded() {
    let audit = |size| ListAuditEvents::new(TIME).page_size(size);
    assert_bounds(audit, &[1, 100], &[0, 101], "pageSize", "1 to 100");
    let live = |size| query_run_results::GetQueryRunResults::new("r").page_size(size);
    assert_bounds(live, &[1, 1_000], &[0, 1_001], "pageSize", "1 to 1000");
    let xdr = |size| query_runs::GetQueryRunResults::new("r").page_size(size);
    assert_bounds(xdr, &[1, 2_000], &[0, 2_001], "pageSize", "1 to 2000");
    let runs = |size| query_runs::ListQueryRuns::new().page_size(size);
    assert_bounds(runs, &[1, 2_000], &[0, 2_001], "pageSize", "1 to 2000");
    assert_bounds(|size| ListProfiles::new().page_size(size), &[1, 100], &[0, 101], "pageSize", "1 to 100");
    let lists = |size| site_lists::ListSiteLists::new().page_size(size);
    assert_bounds(lists, &[1, 100], &[0, 101], "pageSize", "1 to 100");
    let sites = |size| site_lists::ListSites::new("l").page_size(size);
    assert_bounds(sites, &[1, 100], &[0, 101], "pageSize", "1 to 100");
}

#[test]
fn ad_hoc_query_is_bounded() {
    let all = || EndpointMatch::default().all(true);
    let query = |length| {
        StartQueryRun::new(all()).ad_hoc_query(AdHocQuery::default().template(text(length)).name("name"))
    };
    assert_bounds(query, &[15, 50_000], &[14, 50_001], "template", "15 to 50000");
    let name = |length| {
        StartQueryRun::new(all()).ad_hoc_query(AdHocQuery::default().template(text(15)).name(text(length)))
    };
    assert_bounds(name, &[1, 300], &[0, 301], "name", "1 to 300");
    let filter = |count| {
        let filter = EndpointFilter::default().ids(ids(count));
        let endpoints = EndpointMatch::default().filters(vec![filter]);
        StartQueryRun::new(endpoints).saved_query(SavedQuery::default().query_id("q"))
    };
    assert_bounds(filter, &[1, 1_000], &[0, 1_001], "ids", "1 to 1000");
}

#[test]
fn query_run_needs_a_query() {
    let live = check(&StartQueryRun::new(EndpointMatch::default().all(true))).expect_err("no query");
    let xdr = check(&query_runs::StartQueryRun::new()).expect_err("no query");
    for error in [live, xdr] {
        assert!(error.ends_with("missing query: expected savedQuery or adHocQuery"), "{error}");
    }
}

#[test]
fn audit_time_needs_a_zone() {
    assert_eq!(check(&ListAuditEvents::new(TIME)), Ok(()));
    for time in ["2026-11-23", "2026-11-23T10:00:00"] {
        let start = check(&ListAuditEvents::new(time)).expect_err(time);
        assert!(start.contains("invalid startDate"), "{start}");
        let end = check(&ListAuditEvents::new(TIME).end_date(time)).expect_err(time);
        assert!(end.contains("invalid endDate"), "{end}");
    }
}

#[test]
fn rejected_value_is_named_as_on_the_wire() {
    let sent = CreateLocalSite::new("x").category_id(58);
    assert_eq!(check(&sent).expect_err("too large"), "invalid categoryId \"58\": expected 1 to 57");
}

#[test]
fn metadata_sends_a_language() {
    let target = RequestTarget::with_id("https://api.example".parse().expect("a host"), "the-id");
    let request = GetProfileMetadata::new("de").to_request(&target).unwrap();
    assert_eq!(request.headers()["accept-language"], "de");
    assert_eq!(request.uri().query(), None);
    let error = check(&GetProfileMetadata::new("")).expect_err("no language");
    assert!(error.ends_with("missing language: expected the value of a header"), "{error}");
}
