//! The responses of the GraphQL service: errors, partial data, retries, and the refusal of
//! operations for tenants that have moved.

mod support;

use std::sync::Arc;

use futures_executor::block_on;
use futures_util::future::join_all;
use serde_json::{Value, json};
use sophos_api::{
    ApiClient, Client, ErrorKind, MAX_PLATFORM_AGE, Operation, Platform, RateLimit,
    fusion::{cases::*, detections::*},
    operations,
};
use support::{SECRET, ScriptedResponse, ScriptedTransport, TENANT_ID, client, credentials, tenant};

fn graphql(data: Value, errors: Value) -> ScriptedResponse {
    ScriptedResponse::json(json!({"data": data, "errors": errors}))
}

fn error(message: &str, path: &[&str], code: &str) -> Value {
    json!([{"message": message, "path": path, "extensions": {"code": code}}])
}

fn case_types(count: usize) -> ScriptedResponse {
    let types: Vec<_> = (0..count).map(|id| json!({"id": id.to_string()})).collect();
    ScriptedResponse::json(json!({"data": {"caseTypes": {"types": types}}}))
}

fn create() -> CreateCase {
    CreateCase::new("type", CaseSeverity::LOW, "title", "status")
}

#[test]
fn request_has_the_document_and_its_variables() {
    let script = ScriptedTransport::with_responses([graphql(json!({"case": {"id": "7"}}), Value::Null)]);
    let case = block_on(tenant(&client(&script)).send(&GetCase::new("7"))).expect("a case");
    assert_eq!((case.id.as_str(), case.raw()), ("7", r#"{"id":"7"}"#));
    let sent = script.api_requests().remove(0);
    assert_eq!(sent.uri, "https://api.taegis.sophos.com/graphql");
    assert_eq!(
        (sent.header("x-tenant-id"), sent.header("authorization")),
        (Some(TENANT_ID), Some("Bearer token-1"))
    );
    let body: Value = serde_json::from_str(&sent.body).expect("JSON");
    assert_eq!(body["variables"], json!({"arguments": {"id": "7"}}));
    let document = body["query"].as_str().expect("a document");
    assert!(
        document.starts_with("query GetCase($arguments: CaseArguments!) { case(arguments: $arguments) { id ")
    );
}

#[test]
fn variables_have_the_names_of_the_service() {
    let variables = |body: &[u8]| serde_json::from_slice::<Value>(body).expect("JSON")["variables"].clone();
    let target = sophos_api::RequestTarget::with_id("https://x.example".parse().expect("a host"), "t");
    let list = ListCases::new().pagination(CasesPagination::forward(7).cursor("c"));
    assert_eq!(
        variables(list.to_request(&target).expect("a request").body()),
        json!({"arguments": {"pagination": {"cursor": {"first": 7, "after": "c"}}}})
    );
    let list = ListCases::new().pagination(CasesPagination::offset(2, 9)).tenant_service_filters(["mdr"]);
    assert_eq!(
        variables(list.to_request(&target).expect("a request").body()),
        json!({"arguments": {"tenantServiceFilters": ["mdr"], "pagination": {"offset": {"page": 2, "perPage": 9}}}})
    );
    let search = SearchDetections::new("from alert").offset(5);
    assert_eq!(
        variables(search.to_request(&target).expect("a request").body()),
        json!({"in": {"cql_query": "from alert", "offset": 5, "limit": 500}})
    );
    assert_eq!(
        variables(GetDetections::new(["a"]).to_request(&target).expect("a request").body()),
        json!({"in": {"iDs": ["a"]}})
    );
    assert_eq!(
        variables(UpdateCase::new("7").tags(Vec::new()).to_request(&target).expect("a request").body()),
        json!({"input": {"id": "7", "tags": []}})
    );
}

#[test]
fn invalid_values_are_not_sent() {
    let script = ScriptedTransport::with_responses([]);
    let tenant = tenant(&client(&script));
    let errors = [
        block_on(tenant.send(&ListCases::new().pagination(CasesPagination::offset(1, 101)))).err(),
        block_on(tenant.send(&ListCases::new().pagination(CasesPagination::offset(0, 10)))).err(),
        block_on(tenant.send(&ListCases::new().pagination(CasesPagination::forward(0)))).err(),
        block_on(tenant.send(&ListCaseComments::new("7").per_page(101))).err(),
        block_on(tenant.send(&SearchDetections::new("").limit(10_001))).err(),
        block_on(tenant.send(&create().title_of_length(257))).err(),
        block_on(tenant.send(&CreateCase::new("t", CaseSeverity(5), "x", "s"))).err(),
        block_on(tenant.send(&AddEvidenceToCase::new("7"))).err(),
        block_on(tenant.send(&GetDetections::new([""; 0]))).err(),
    ];
    for (number, error) in errors.into_iter().enumerate() {
        assert_eq!(error.map(|error| error.kind()), Some(ErrorKind::Invalid), "case {number}");
    }
    assert!(script.api_requests().is_empty());
}

trait TitleOfLength {
    fn title_of_length(self, length: usize) -> Self;
}

impl TitleOfLength for CreateCase {
    fn title_of_length(mut self, length: usize) -> Self {
        self.title = "x".repeat(length);
        self
    }
}

#[test]
fn errors_with_status_200_are_failures() {
    for (data, errors, kind) in [
        (Value::Null, error("no", &["cases"], "BAD_REQUEST"), ErrorKind::Graphql),
        (json!({"cases": null}), error("record not found", &["cases"], "X"), ErrorKind::NotFound),
        // Data beside errors is a failure, too, unless the caller asks for it.
        (json!({"cases": {"cases": []}}), error("no", &["cases", "cases"], "X"), ErrorKind::Graphql),
        (Value::Null, json!("text"), ErrorKind::Graphql),
        (Value::Null, json!([{}]), ErrorKind::Graphql),
        (json!({"cases": {"cases": []}}), json!({"message": "no"}), ErrorKind::Graphql),
    ] {
        let script = ScriptedTransport::with_responses([graphql(data.clone(), errors.clone())]);
        let error = block_on(tenant(&client(&script)).send(&ListCases::new())).expect_err("an error");
        assert_eq!((error.kind(), error.status()), (kind, Some(200)), "{data} {errors}: {error}");
        assert_eq!(error.tenant_id(), Some(TENANT_ID));
    }
    let errors = json!([
        {"message": "first", "path": ["cases", "cases", 0, "tenant"], "extensions": {"code": "INTERNAL"}},
        {"message": "second"},
    ]);
    let script = ScriptedTransport::with_responses([graphql(Value::Null, errors)]);
    let error = block_on(tenant(&client(&script)).send(&ListCases::new())).expect_err("an error");
    assert_eq!(
        error.to_string(),
        format!(
            "POST /graphql cases for tenant {TENANT_ID}: the GraphQL service answered with errors \
             (200 INTERNAL): first; 1 more errors beside it; path cases.cases.0.tenant"
        )
    );
}

#[test]
fn responses_without_errors_are_checked() {
    for (body, kind) in [
        (json!({}), ErrorKind::Malformed),
        (json!({"data": null}), ErrorKind::Malformed),
        (json!({"data": []}), ErrorKind::Malformed),
        (json!({"data": {"case": null}, "errors": []}), ErrorKind::NotFound),
        (json!({"data": {"case": {"title": "no id"}}}), ErrorKind::Malformed),
    ] {
        let script = ScriptedTransport::with_router({
            let body = body.clone();
            move |sent| (sent.path() == "/graphql").then(|| ScriptedResponse::json(body.clone()))
        });
        let error = block_on(tenant(&client(&script)).send(&GetCase::new("7"))).expect_err("an error");
        assert_eq!(error.kind(), kind, "{body}: {error}");
    }
}

#[test]
fn rejected_document_has_its_message() {
    let body = json!({"errors": [{"message": "Cannot query field \"x\"", "extensions": {"code": "GRAPHQL_VALIDATION_FAILED"}}]});
    let script = ScriptedTransport::with_responses([ScriptedResponse::text(400, &body.to_string())]);
    let error = block_on(tenant(&client(&script)).send(&GetCase::new("7"))).expect_err("an error");
    assert_eq!((error.kind(), error.status()), (ErrorKind::Invalid, Some(400)));
    assert_eq!(error.code(), Some("GRAPHQL_VALIDATION_FAILED"));
    assert!(error.to_string().contains("Cannot query field \"x\""), "{error}");
}

#[test]
fn send_partial_returns_data_beside_errors() {
    let response = || {
        graphql(
            json!({"case": {"id": "7", "tags": null}}),
            error("federation failed: token-1", &["case", "tags"], "X"),
        )
    };
    let script = ScriptedTransport::with_responses([response(), response()]);
    let tenant = tenant(&client(&script));
    let partial = block_on(tenant.send_partial(&GetCase::new("7"))).expect("data");
    assert_eq!((partial.data.id.as_str(), partial.errors.len()), ("7", 1));
    let missing = &partial.errors[0];
    assert_eq!((missing.path(), missing.tenant_id()), (Some("case.tags"), Some(TENANT_ID)));
    assert!(!missing.to_string().contains("token-1"), "{missing}");
    block_on(tenant.send(&GetCase::new("7"))).expect_err("errors");

    let script =
        ScriptedTransport::with_responses([graphql(json!({"case": null}), error("no", &["case"], "X"))]);
    let failed = block_on(support::tenant(&client(&script)).send_partial(&GetCase::new("7")));
    assert_eq!(failed.expect_err("no data").kind(), ErrorKind::Graphql);
}

#[test]
fn errors_hold_no_secret() {
    let message = format!("denied {SECRET} Bearer token-1");
    let errors = json!([{"message": message, "path": [SECRET, "token-1"], "extensions": {"code": SECRET}}]);
    let body = json!({"errors": errors}).to_string();
    for response in [graphql(Value::Null, errors.clone()), ScriptedResponse::text(400, &body)] {
        let script = ScriptedTransport::with_responses([response]);
        let error = block_on(tenant(&client(&script)).send(&create())).expect_err("an error");
        let text = format!("{error} {error:?} {:?} {:?}", error.code(), error.path());
        assert!(!text.contains(SECRET) && !text.contains("token-1"), "{text}");
    }
}

#[test]
fn create_case_is_repeated_at_partner_preferences_alone() {
    let flaky = || graphql(json!({"createCase": null}), error("not allowed", &["partnerPreferences"], "X"));
    let created = || graphql(json!({"createCase": {"id": "7"}}), Value::Null);
    let script = ScriptedTransport::with_responses([flaky(), flaky(), created()]);
    let case = block_on(tenant(&client(&script)).send(&create())).expect("a case");
    assert_eq!((case.id.as_str(), script.api_requests().len()), ("7", 3));

    let script = ScriptedTransport::with_responses((0..6).map(|_| flaky()));
    let failed = block_on(tenant(&client(&script)).send(&create())).expect_err("it fails each time");
    assert_eq!((failed.kind(), failed.path()), (ErrorKind::Unavailable, Some("partnerPreferences")));
    assert_eq!(script.api_requests().len(), 6);

    for response in [
        graphql(Value::Null, error("not allowed", &["createCase"], "X")),
        // The case exists although a part of the response failed.
        graphql(json!({"createCase": {"id": "7"}}), error("not allowed", &["partnerPreferences"], "X")),
        ScriptedResponse::status(503),
        graphql(json!({"createCase": null}), Value::Null),
    ] {
        let script = ScriptedTransport::with_responses([response]);
        block_on(tenant(&client(&script)).send(&create())).expect_err("an error");
        assert_eq!(script.api_requests().len(), 1);
    }
    let comment = graphql(Value::Null, error("not allowed", &["partnerPreferences"], "X"));
    let script = ScriptedTransport::with_responses([comment]);
    block_on(tenant(&client(&script)).send(&AddCaseComment::new("7", "x"))).expect_err("no exception");
    assert_eq!(script.api_requests().len(), 1);
}

#[test]
fn query_is_retried_and_a_mutation_is_not() {
    let found = graphql(json!({"case": {"id": "7"}}), Value::Null);
    let script = ScriptedTransport::with_responses([ScriptedResponse::status(502), found]);
    block_on(tenant(&client(&script)).send(&GetCase::new("7"))).expect("a case");
    let script = ScriptedTransport::with_responses([ScriptedResponse::status(502)]);
    let error = block_on(tenant(&client(&script)).send(&UpdateCase::archive("7"))).expect_err("no retry");
    assert_eq!(error.kind(), ErrorKind::Unavailable);
}

#[test]
fn search_status_is_a_failure() {
    let page = |status: &str| json!({"detectionSearch": {"status": status, "reason": "why", "alerts": null}});
    for (status, kind, requests) in
        [("INVALID_REQUEST", ErrorKind::Invalid, 1), ("TRANSACTION_ERROR", ErrorKind::Unavailable, 6)]
    {
        let script = ScriptedTransport::with_responses((0..6).map(|_| graphql(page(status), Value::Null)));
        let error = block_on(tenant(&client(&script)).send(&SearchDetections::new("q"))).expect_err(status);
        assert_eq!((error.kind(), error.code()), (kind, Some(status)));
        assert_eq!(script.api_requests().len(), requests, "{status}");
        assert!(error.to_string().contains("why"), "{error}");
    }
}

#[test]
fn search_reads_all_parts_of_a_result() {
    let part = |number: u64| {
        let list = [json!({"id": format!("d{number}")})];
        let alerts = json!({"list": list, "total_results": 3, "part": number, "total_parts": 3});
        graphql(json!({"detectionSearch": {"status": "OK", "alerts": alerts, "search_id": "s"}}), Value::Null)
    };
    let script = ScriptedTransport::with_responses([part(1), part(2), part(3)]);
    let mut pages = tenant(&client(&script)).pages(SearchDetections::new("q").limit(1));
    let mut count = 0;
    while let Some(page) = block_on(pages.next()) {
        count += page.expect("a page").alerts.list.len();
    }
    assert_eq!(count, 3);
    let ids: Vec<_> =
        script.api_requests().iter().map(|sent| sent.body.contains(r#""search_id":"s""#)).collect();
    assert_eq!(ids, [false, true, true]);
}

#[test]
fn pages_reject_a_repeated_cursor() {
    let page = || {
        let info = json!({"hasNextPage": true, "endCursor": "c"});
        graphql(json!({"cases": {"cases": [{"id": "7"}], "pageInfo": info}}), Value::Null)
    };
    let script = ScriptedTransport::with_responses([page(), page()]);
    let mut pages = tenant(&client(&script)).pages(ListCases::new());
    block_on(pages.next()).expect("a page").expect("a page");
    let error = block_on(pages.next()).expect("an end").expect_err("the same page");
    assert_eq!(error.kind(), ErrorKind::Malformed);
}

#[test]
fn moved_tenant_is_refused_for_one_request_a_period() {
    let script = ScriptedTransport::with_responses([case_types(2)]);
    let handle = tenant(&client(&script));
    for _ in 0..3 {
        let error =
            block_on(handle.send(&operations::cases::case::GetCase::new("ABC-1"))).expect_err("moved");
        assert_eq!(
            (error.kind(), error.operation()),
            (ErrorKind::TenantMoved, Some("GET /cases/v1/cases/:caseId"))
        );
        assert_eq!(error.tenant_id(), Some(TENANT_ID));
        assert_eq!(error.replacement(), Some("fusion::cases::GetCase"));
        assert!(error.is_tenant_moved() && !error.is_retryable());
    }
    assert_eq!(script.api_requests().len(), 1);
    assert_eq!(block_on(handle.platform()).expect("a platform"), Platform::Fusion);
    assert_eq!(script.api_requests().len(), 1, "the same cache");
}

#[test]
fn moved_tenant_is_read_before_the_move_on_request() {
    let script =
        ScriptedTransport::with_responses([case_types(1), ScriptedResponse::json(json!({"id": "ABC-1"}))]);
    let handle = tenant(&client(&script));
    assert_eq!(block_on(handle.platform()).expect("a platform"), Platform::Fusion);
    let get = operations::cases::case::GetCase::new("ABC-1");
    assert_eq!(block_on(handle.reading_before_move().send(&get)).expect("a case").id, "ABC-1");
    assert!(
        block_on(handle.send(&get)).is_err_and(|error| error.is_tenant_moved()),
        "the handle itself refuses"
    );
}

#[test]
fn platform_expires() {
    let query_run = || ScriptedResponse::json(json!({"id": "run"}));
    let script = ScriptedTransport::with_responses([case_types(0), query_run(), query_run(), case_types(1)]);
    let handle = tenant(&client(&script));
    let start = operations::detections::queries::StartDetectionsQuery::new();
    for _ in 0..2 {
        block_on(handle.send(&start)).expect("a run");
    }
    script.advance(MAX_PLATFORM_AGE);
    let error = block_on(handle.send(&start)).expect_err("it has moved meanwhile");
    assert_eq!(error.replacement(), Some("fusion::detections::SearchDetections"));
    let paths: Vec<_> = script.api_requests().iter().map(|sent| sent.path().to_owned()).collect();
    assert_eq!(paths.iter().filter(|path| *path == "/graphql").count(), 2);
}

#[test]
fn concurrent_callers_share_one_platform_request() {
    let script = ScriptedTransport::with_router(|sent| {
        (sent.path() == "/graphql").then(|| case_types(1).with_yields(5))
    });
    let handle = tenant(&client(&script));
    let operation = operations::cases::case::ListCases::new();
    let results = block_on(join_all((0..20).map(|_| handle.send(&operation))));
    assert!(results.into_iter().all(|result| result.is_err_and(|error| error.is_tenant_moved())));
    assert_eq!(script.count(|sent| sent.path() == "/graphql"), 1);
}

#[test]
fn failed_platform_test_is_a_failure_with_its_remedy() {
    let script = ScriptedTransport::with_router(|sent| {
        (sent.path() == "/graphql").then(|| ScriptedResponse::status(403))
    });
    let error = block_on(tenant(&client(&script)).send(&operations::cases::case::ListCases::new()))
        .expect_err("unknown");
    assert_eq!((error.kind(), error.operation()), (ErrorKind::Forbidden, Some("POST /graphql caseTypes")));
    assert!(error.to_string().contains("the test whether the tenant has moved"), "{error}");
    assert!(!error.to_string().contains("::"), "no path of a program: {error}");
    // A response without the list tells nothing.
    let script = ScriptedTransport::with_router(|sent| {
        (sent.path() == "/graphql").then(|| ScriptedResponse::json(json!({"data": {"caseTypes": {}}})))
    });
    let error = block_on(tenant(&client(&script)).platform()).expect_err("no list");
    assert_eq!(error.kind(), ErrorKind::Malformed);
}

#[test]
fn check_of_the_platform_can_be_switched_off() {
    let listed = || ScriptedResponse::json(json!({"items": [], "pages": {}}));
    let script = ScriptedTransport::with_responses([listed()]);
    let client = Client::builder(Arc::clone(&script), credentials())
        .rate_limit(RateLimit::unlimited())
        .refuse_moved_tenants(false)
        .build();
    block_on(tenant(&client).send(&operations::cases::case::ListCases::new())).expect("a page");
    assert_eq!(script.api_requests()[0].path(), "/cases/v1/cases");
}

#[test]
fn all_rest_operations_of_the_families_have_a_replacement() {
    use operations::{cases::*, detections::*};
    let routes = [
        case::ListCases::ROUTE,
        case::CreateCase::ROUTE,
        case::DeleteCase::ROUTE,
        case::GetCase::ROUTE,
        case::UpdateCase::ROUTE,
        case_detections::ListCaseDetections::ROUTE,
        case_detections::GetCaseDetection::ROUTE,
        impacted_entities::ListImpactedEntities::ROUTE,
        impacted_entities::GetMitreAttackSummary::ROUTE,
        detection_groups::StartDetectionGroupsQuery::ROUTE,
        detection_groups::GetDetectionGroupsQuery::ROUTE,
        detection_groups::ListDetectionGroups::ROUTE,
        queries::StartDetectionsQuery::ROUTE,
        queries::GetDetectionsQuery::ROUTE,
        queries::ListDetections::ROUTE,
        queries::GetDetectionCounts::ROUTE,
    ];
    for route in routes {
        assert!(route.fusion_replacement.is_some_and(|name| name.starts_with("fusion::")), "{route}");
    }
}
