//! The operations of Sophos Fusion, against the simulator.

#![cfg(feature = "reqwest")]

use std::time::Duration;

use sophos_api::{
    ApiClient, Client, Credentials, ErrorKind, Hosts, Platform, ReqwestTransport, TenantClient,
    fusion::{cases::*, detections::*},
    operations,
};
use sophos_simulator::{Config, Owner, Simulator, TenantGroup};

const START: &str = "2026-01-15T12:00:00Z";

/// A partner with two tenants that have moved, and one that has not.
fn config() -> Config {
    let mut config = Config::default();
    config.clock.start = Some(START.to_owned());
    let moved = TenantGroup {
        platform: sophos_simulator::Platform::Fusion,
        endpoints: Some(8),
        ..TenantGroup::new(Owner::Partner, 2)
    };
    config.tenants = vec![moved, TenantGroup::new(Owner::Partner, 1)];
    config
}

async fn simulator() -> Simulator {
    Simulator::start(config()).await.expect("a simulator")
}

fn client_of(simulator: &Simulator, role: &str) -> Client<ReqwestTransport> {
    let credential = simulator.credentials().into_iter();
    let credential = credential.filter(|one| one.id_type == "partner").find(|one| one.role == role);
    let credential = credential.expect("a credential");
    let base = |url: String| url.parse().expect("a URL");
    let hosts = Hosts::new(base(simulator.identity_url()), base(simulator.global_url()))
        .with_fusion(base(simulator.fusion_url()));
    let transport =
        ReqwestTransport::from_builder(reqwest::Client::builder().no_proxy()).expect("a transport");
    let retries = sophos_api::RetryPolicy::new().initial_backoff(Duration::from_millis(1));
    Client::builder(transport, Credentials::new(credential.client_id, credential.client_secret))
        .hosts(hosts)
        .retry_policy(retries)
        .build()
}

async fn tenant(simulator: &Simulator, number: usize) -> TenantClient<ReqwestTransport> {
    let id = simulator.tenants()[number].id.clone();
    client_of(simulator, "super_admin").tenant(id).await.expect("a tenant")
}

/// The ids of the reference data that a new case needs.
struct References {
    case_type: String,
    open: String,
    closed: String,
    verdict: String,
}

async fn references(tenant: &TenantClient<ReqwestTransport>) -> References {
    let types = tenant.send(&ListCaseTypes::new()).await.expect("types").types.expect("types");
    let statuses = tenant.send(&ListCasePrimaryStatuses::new()).await.expect("statuses");
    let statuses = statuses.primary_statuses.expect("statuses");
    let verdicts = tenant.send(&ListCasePrimaryVerdicts::new()).await.expect("verdicts");
    let status = |closed: bool| {
        let found = statuses.iter().find(|status| status.is_closed == Some(closed));
        found.expect("a status").id.clone()
    };
    References {
        case_type: types[0].id.clone(),
        open: status(false),
        closed: status(true),
        verdict: verdicts.primary_verdicts.expect("verdicts")[0].id.clone(),
    }
}

fn graphql_calls(simulator: &Simulator) -> u64 {
    simulator.calls().operation("graphql")
}

#[tokio::test]
async fn platform_tells_moved_tenants() {
    let simulator = simulator().await;
    assert_eq!(tenant(&simulator, 0).await.platform().await.expect("a platform"), Platform::Fusion);
    assert_eq!(tenant(&simulator, 2).await.platform().await.expect("a platform"), Platform::Central);
}

#[tokio::test]
async fn reference_data_is_listed() {
    let simulator = simulator().await;
    let moved = tenant(&simulator, 0).await;
    let found = references(&moved).await;
    assert_ne!(found.open, found.closed);
    let secondary = moved.send(&ListCaseSecondaryStatuses::new()).await.expect("statuses");
    let all = ListCaseSecondaryStatuses::new().include_automation_statuses(true);
    let all = moved.send(&all).await.expect("statuses").secondary_statuses.expect("statuses");
    assert_eq!(secondary.secondary_statuses.expect("statuses").len() + 1, all.len());
    let verdicts = moved.send(&ListCaseSecondaryVerdicts::new()).await.expect("verdicts");
    assert!(!verdicts.secondary_verdicts.expect("verdicts").is_empty());
    let sources = moved.send(&ListCaseSources::new()).await.expect("sources").sources.expect("sources");
    assert_eq!(sources[0].title.as_deref(), Some("Manual"));
    let unmoved = tenant(&simulator, 2).await.send(&ListCaseTypes::new()).await.expect("types");
    assert_eq!(unmoved.types.map(|types| types.len()), Some(0));
}

#[tokio::test]
async fn list_cases_pages_in_both_modes() {
    let simulator = simulator().await;
    let moved = tenant(&simulator, 0).await;
    let mut found = Vec::new();
    for pagination in
        [CasesPagination::offset(1, 5), CasesPagination::forward(5), CasesPagination::backward(5)]
    {
        let mut pages = moved.pages(ListCases::new().pagination(pagination));
        let (mut ids, mut sizes) = (Vec::new(), Vec::new());
        while let Some(page) = pages.next().await {
            let page = page.expect("a page");
            assert_eq!(page.total_count, Some(12));
            sizes.push(page.cases.len());
            for case in page.cases {
                ids.push(case.parse().expect("a case").id.clone());
            }
        }
        assert_eq!(sizes, [5, 5, 2]);
        ids.sort();
        found.push(ids);
    }
    assert!(found[0] == found[1] && found[1] == found[2]);
    found[0].dedup();
    assert_eq!(found[0].len(), 12);

    let query = "closedAt is not null and severity >= 4 | sort severity desc";
    let page = moved.send(&ListCases::new().query(query)).await.expect("a page");
    let cases: Vec<_> = page.cases.into_iter().map(|case| case.parse().expect("a case")).collect();
    assert!(!cases.is_empty() && cases.iter().all(|case| case.closed_at.is_some()));
    assert!(cases.iter().map(|case| std::cmp::Reverse(case.severity)).is_sorted());
    let error = moved.send(&ListCases::new().query("nothing = 1")).await.expect_err("an unknown field");
    assert_eq!(
        (error.kind(), error.code(), error.path()),
        (ErrorKind::Graphql, Some("BAD_REQUEST"), Some("cases"))
    );
    assert!(error.to_string().starts_with("POST /graphql cases for tenant "), "{error}");
}

#[tokio::test]
async fn case_is_created_changed_closed_and_archived() {
    let simulator = simulator().await;
    let moved = tenant(&simulator, 0).await;
    let ids = references(&moved).await;
    let detection = moved.send(&SearchDetections::new("from alert").limit(1)).await.expect("a page");
    let detection = detection.alerts.list[0].clone().parse().expect("a detection").id.clone();
    let before = graphql_calls(&simulator);
    let create = CreateCase::new(&ids.case_type, CaseSeverity::HIGH, "Suspicious logon", &ids.open)
        .tags(["api"])
        .key_findings(KeyFindings::markdown("# Findings"))
        .managed_by(CaseManager::Customer)
        .detection_ids([&detection]);
    let case = moved.send(&create).await.expect("a case");
    assert_eq!(graphql_calls(&simulator) - before, 2, "the first request fails at partnerPreferences");
    assert_eq!((case.severity, case.title.as_deref()), (Some(CaseSeverity::HIGH), Some("Suspicious logon")));
    assert_eq!((case.short_id.as_deref(), case.detections_count), (Some("CSE00013"), Some(1)));
    assert_eq!(case.managed_by, Some(CaseManager::Customer));
    assert_eq!(case.key_findings.as_ref().map(|findings| findings.content.as_str()), Some("# Findings"));

    let change = UpdateCase::new(&case.id).severity(CaseSeverity::CRITICAL).tags(Vec::new());
    let changed = moved.send(&change).await.expect("a case");
    assert_eq!((changed.severity, changed.tags.clone()), (Some(CaseSeverity::CRITICAL), Some(Vec::new())));
    assert_eq!(changed.title.as_deref(), Some("Suspicious logon"));
    let error = moved.send(&UpdateCase::archive(&case.id)).await.expect_err("an open case");
    assert_eq!(error.kind(), ErrorKind::Graphql, "{error}");
    let closed = moved.send(&UpdateCase::close(&case.id, &ids.closed, &ids.verdict)).await.expect("a case");
    assert!(closed.closed_at.is_some() && closed.primary_verdict.is_some());
    let archived = moved.send(&UpdateCase::archive(&case.id)).await.expect("a case");
    assert!(archived.archived_at.is_some());
    let read = moved.send(&GetCase::new(&case.id)).await.expect("a case");
    assert_eq!(read.archived_at, archived.archived_at);
    let other = tenant(&simulator, 1).await;
    let error = other.send(&GetCase::new(&case.id)).await.expect_err("a case of another tenant");
    assert_eq!((error.kind(), error.path()), (ErrorKind::NotFound, Some("case")));
}

#[tokio::test]
async fn comments_are_added_changed_and_deleted() {
    let simulator = simulator().await;
    let moved = tenant(&simulator, 0).await;
    let page = moved.send(&ListCases::new().pagination(CasesPagination::forward(2))).await.expect("a page");
    let case = page.cases[1].clone().parse().expect("a case").id.clone();
    for number in 0..5 {
        let add = AddCaseComment::new(&case, format!("comment {number} for @customer"));
        let added = moved.send(&add).await.expect("a comment");
        assert_eq!(added.mentions_ids.as_deref(), Some(["@customer".to_owned()].as_slice()));
    }
    let list = ListCaseComments::new(&case).per_page(2).order_by(SortOrder::Descending);
    let mut pages = moved.pages(list);
    let mut texts = Vec::new();
    let mut ids = Vec::new();
    while let Some(page) = pages.next().await {
        for comment in page.expect("a page").comments {
            let comment = comment.parse().expect("a comment");
            texts.push(comment.comment.clone().expect("a text"));
            ids.push(comment.id.clone());
        }
    }
    assert_eq!((texts.len(), texts[0].as_str()), (5, "comment 4 for @customer"));
    let change = UpdateCaseComment::new(&ids[0]).comment("changed");
    assert_eq!(moved.send(&change).await.expect("a comment").comment.as_deref(), Some("changed"));
    moved.send(&DeleteCaseComment::new(&ids[0])).await.expect("a comment");
    let left = moved.send(&ListCaseComments::new(&case)).await.expect("a page");
    assert_eq!((left.total_count, left.comments.len()), (Some(4), 4));
    let error = moved.send(&DeleteCaseComment::new(&ids[0])).await.expect_err("it is gone");
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn evidence_appears_and_disappears_later() {
    let simulator = simulator().await;
    let moved = tenant(&simulator, 0).await;
    let page = moved.send(&ListCases::new().pagination(CasesPagination::forward(1))).await.expect("a page");
    let case = page.cases[0].clone().parse().expect("a case").id.clone();
    let evidence = async || moved.send(&GetCaseEvidence::new(&case)).await.expect("evidence");
    let before = graphql_calls(&simulator);
    let add = AddEvidenceToCase::new(&case).event_ids(["event://1"]).host_ids(["host-1"]);
    let change = moved.send(&add).await.expect("a change");
    assert_eq!(graphql_calls(&simulator) - before, 2, "the first request fails at partnerPreferences");
    assert_eq!(change.event_ids.as_deref(), Some(["event://1".to_owned()].as_slice()));
    assert_eq!(evidence().await.events_evidence_count, Some(0));
    let running = moved.send(&GetCase::new(&case)).await.expect("a case");
    let state = running.processing_status.as_ref().and_then(|status| status.events.clone());
    assert_eq!(state, Some(ProcessingState::Running));
    simulator.clock().advance(Duration::from_secs(6));
    let found = evidence().await;
    assert_eq!((found.events_evidence_count, found.assets_evidence_count), (Some(1), Some(1)));
    let event = &found.events_evidence.as_ref().expect("events")[0];
    assert_eq!((event.event_id.as_deref(), event.is_genesis), (Some("event://1"), Some(false)));
    moved.send(&RemoveEvidenceFromCase::new(&case).event_ids(["event://1"])).await.expect("a change");
    simulator.clock().advance(Duration::from_secs(6));
    assert_eq!(evidence().await.events_evidence_count, Some(0));
}

#[tokio::test]
async fn search_detections_pages_and_polls() {
    let simulator = simulator().await;
    let moved = tenant(&simulator, 0).await;
    let mut pages = moved.pages(SearchDetections::new("from alert").limit(50));
    let (mut sizes, mut ids, mut last) = (Vec::new(), Vec::new(), None);
    while let Some(page) = pages.next().await {
        let page = page.expect("a page");
        sizes.push(page.alerts.list.len());
        last = page.search_id.clone();
        for detection in page.alerts.list {
            ids.push(detection.parse().expect("a detection").id.clone());
        }
    }
    assert_eq!(sizes, [50, 50, 20]);
    let polled = moved.send(&PollDetections::new(last.expect("an id"))).await.expect("a page");
    assert_eq!(polled.alerts.list.len(), 20);
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 120);

    let severe = SearchDetections::new("from alert severity >= 0.7 and status = 'OPEN' EARLIEST=-1d");
    let severe = moved.send(&severe).await.expect("a page");
    for detection in severe.alerts.list {
        let detection = detection.parse().expect("a detection");
        let metadata = detection.metadata.as_ref().expect("metadata");
        assert!(metadata.severity.expect("a severity") >= 0.7);
        assert!(metadata.created_at.and_then(EpochTime::instant).is_some());
    }
    let error =
        moved.send(&SearchDetections::new("from alert nothing = 1")).await.expect_err("an invalid query");
    assert_eq!((error.kind(), error.code()), (ErrorKind::Invalid, Some("INVALID_REQUEST")), "{error}");
}

#[tokio::test]
async fn detections_are_found_resolved_and_counted() {
    let simulator = simulator().await;
    let moved = tenant(&simulator, 0).await;
    let page = moved.send(&SearchDetections::new("from alert").limit(2)).await.expect("a page");
    let some: Vec<_> = page.alerts.list.into_iter().map(|one| one.parse().expect("a detection")).collect();
    let ids: Vec<_> = some.iter().map(|one| one.id.clone()).collect();
    let found = moved.send(&GetDetections::new(&ids)).await.expect("a page");
    assert_eq!(found.alerts.list.len(), 2);
    let entities = some[0].entities.as_ref().and_then(|all| all.entities.clone()).expect("entities");
    let host = entities.iter().find_map(|entity| entity.strip_prefix("hostId:")).expect("a host");
    let by_host = moved.send(&GetDetectionsByHost::new([host])).await.expect("a page").alerts.list.len();
    let by_entity = GetDetectionsByEntity::new([format!("hostId:{host}")]);
    assert_eq!(moved.send(&by_entity).await.expect("a page").alerts.list.len(), by_host);
    assert!(by_host >= 1);

    let resolve = UpdateDetectionResolution::new(&ids, ResolutionStatus::FalsePositive).reason("a test");
    moved.send(&resolve).await.expect("an update");
    let open = moved.send(&SearchDetections::new("from alert status = 'OPEN'")).await.expect("a page");
    assert_eq!(open.alerts.total_results, Some(118));
    let unknown = UpdateDetectionResolution::new(["alert://x"], ResolutionStatus::Open);
    let error = moved.send(&unknown).await.expect_err("an unknown detection");
    assert_eq!((error.kind(), error.code()), (ErrorKind::Graphql, Some("FAILED")), "{error}");

    let aggregate = AggregateDetectionsBySeverity::new().group_by(DetectionGrouping::Detector);
    let groups = moved.send(&aggregate).await.expect("groups").aggregation.expect("groups");
    assert_eq!(groups.iter().filter_map(|group| group.count).sum::<u64>(), 120);
}

#[tokio::test]
async fn client_counts_all_tenants_in_one_request() {
    let simulator = simulator().await;
    let client = client_of(&simulator, "super_admin");
    let counts = client.send(&CountDetectionsByTenant::new("from alert")).await.expect("counts");
    let counts: Vec<_> = counts.items.expect("items").into_iter().map(|item| item.count).collect();
    assert_eq!(counts, [Some(120), Some(120), Some(0)]);
    assert_eq!(graphql_calls(&simulator), 1);
}

#[tokio::test]
async fn mutation_is_not_allowed_to_a_read_only_role() {
    let simulator = simulator().await;
    let id = simulator.tenants()[0].id.clone();
    let moved = client_of(&simulator, "read_only").tenant(id).await.expect("a tenant");
    let before = graphql_calls(&simulator);
    let create = CreateCase::new("t", CaseSeverity::LOW, "x", "s");
    let error = moved.send(&create).await.expect_err("no role");
    assert_eq!((error.code(), error.path()), (Some("FORBIDDEN"), Some("createCase")), "{error}");
    assert_eq!(graphql_calls(&simulator) - before, 1, "the path is not partnerPreferences");
}

#[tokio::test]
async fn rest_operations_are_refused_after_a_move() {
    let simulator = simulator().await;
    let moved = tenant(&simulator, 0).await;
    let error = moved.send(&operations::cases::case::ListCases::new()).await.expect_err("it has moved");
    assert!(error.is_tenant_moved(), "{error}");
    assert_eq!(error.replacement(), Some("fusion::cases::ListCases"));
    assert_eq!(simulator.calls().operation("unknown"), 0, "nothing was sent to cases/v1");
    let unmoved = tenant(&simulator, 2).await;
    let result = unmoved.send(&operations::cases::case::ListCases::new()).await;
    assert!(!result.is_err_and(|error| error.is_tenant_moved()));
}

#[tokio::test]
async fn graphql_shares_the_rate_limit_with_rest() {
    let mut config = config();
    config.limiter.per_minute = Some(6);
    let simulator = Simulator::start(config).await.expect("a simulator");
    let id = simulator.tenants()[0].id.clone();
    let moved = client_of(&simulator, "super_admin").tenant(id).await.expect("a tenant");
    // The identity and the tenant's record took two.
    for _ in 0..4 {
        moved.send(&ListCaseTypes::new()).await.expect("types");
    }
    let error = moved.send(&ListCaseTypes::new()).await.expect_err("the limit");
    assert!(error.is_throttled(), "{error}");
    let error =
        moved.send(&operations::endpoint::endpoints::ListEndpoints::new()).await.expect_err("the limit");
    assert!(error.is_throttled(), "{error}");
}
