//! Parsing of responses in the service's formats: the fixtures of this repository, and
//! recorded responses if they are present.

mod support;

use serde::Serialize;
use serde_json::Value;
use sophos_api::{
    DataRegion, ErrorKind, Operation, Paged,
    models::{
        AlertActionKind, AlertCategory, AlertSeverity, EndpointType, HealthStatus, IdType, LockdownStatus,
        Platform, Product, SiemSeverity,
    },
    operations::{
        common::alerts::{ActOnAlert, GetAlert, ListAlerts, SearchAlerts},
        endpoint::endpoints::{GetEndpoint, ListEndpoints},
        endpoint::isolation::UpdateIsolations,
        organization::tenants::{GetOrganizationTenant, ListOrganizationTenants},
        partner::tenants::{GetPartnerTenant, ListPartnerTenants},
        siem::events::ListSiemEvents,
        token::RequestToken,
        whoami::GetWhoami,
    },
};
use support::{fixture, parse_response, read_text};

/// A recorded body, in a folder of its recorder, or a fixture of this repository.
fn body(file: &str) -> String {
    if file.contains('/') {
        read_text(&support::recorded(&format!("fixtures/{file}")))
    } else {
        fixture(file)
    }
}

fn parse_body<O: Operation>(file: &str, text: &str) -> O::Response {
    parse_response::<O>(200, text).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// The response serializes to the JSON that the service sent.
fn assert_round_trip<O: Operation<Response: Serialize>>(file: &str) {
    let text = body(file);
    let written = serde_json::to_value(parse_body::<O>(file, &text)).expect(file);
    assert_eq!(written, serde_json::from_str::<Value>(&text).expect(file), "{file}");
}

/// Each item parses, and serializes to the JSON that the service sent.
fn assert_items_round_trip<O: Paged<Response: Serialize>>(file: &str, count: usize) {
    assert_round_trip::<O>(file);
    let text = body(file);
    let sent: Value = serde_json::from_str(&text).expect(file);
    let items = O::items(parse_body::<O>(file, &text));
    assert_eq!(items.len(), count, "{file}");
    for (item, sent) in items.into_iter().zip(sent["items"].as_array().expect(file)) {
        let record = item.parse().unwrap_or_else(|error| panic!("{file}: {error}"));
        assert_eq!(serde_json::to_value(&record).expect(file), *sent, "{file}");
        assert_eq!(serde_json::from_str::<Value>(record.raw()).expect(file), *sent, "{file}");
    }
}

#[test]
fn responses_round_trip() {
    assert_round_trip::<ActOnAlert>("alert_action.json");
    assert_round_trip::<GetAlert>("alert.json");
    assert_round_trip::<UpdateIsolations>("isolate.json");
    assert_round_trip::<UpdateIsolations>("release.json");
    assert_round_trip::<GetPartnerTenant>("tenant.json");
    assert_round_trip::<GetOrganizationTenant>("tenant.json");
    assert_round_trip::<GetEndpoint>("endpoint.json");
    for kind in ["partner", "organization", "tenant"] {
        assert_round_trip::<GetWhoami>(&format!("whoami_{kind}.json"));
    }
}

#[test]
fn pages_and_items_round_trip() {
    assert_items_round_trip::<ListAlerts>("alerts_page.json", 3);
    assert_items_round_trip::<SearchAlerts>("alerts_page.json", 3);
    assert_items_round_trip::<ListEndpoints>("endpoints_page.json", 2);
    assert_items_round_trip::<ListEndpoints>("endpoints_page_by_number.json", 1);
    assert_items_round_trip::<ListPartnerTenants>("tenants_page.json", 1);
    assert_items_round_trip::<ListOrganizationTenants>("tenants_page.json", 1);
    assert_items_round_trip::<ListPartnerTenants>("page_beyond_end.json", 0);
    assert_items_round_trip::<ListSiemEvents>("events_page.json", 2);
}

#[test]
#[ignore = "needs recorded material beside the checkout: `cargo xtask test` runs it where that is"]
fn recorded_responses_round_trip() {
    assert_round_trip::<ActOnAlert>("xsoar/alert_action.json");
    assert_round_trip::<GetAlert>("xsoar/alert_single.json");
    assert_round_trip::<UpdateIsolations>("xsoar/isolate_endpoint.json");
    assert_round_trip::<UpdateIsolations>("xsoar/deisolate_endpoint.json");
    assert_round_trip::<GetPartnerTenant>("xsoar/tenant_single.json");
    assert_round_trip::<GetOrganizationTenant>("xsoar/tenant_single.json");
    assert_round_trip::<GetEndpoint>("jason-costello/endpoint_single.json");
    for folder in ["xsoar", "jason-costello"] {
        for kind in ["partner", "organization", "tenant"] {
            assert_round_trip::<GetWhoami>(&format!("{folder}/whoami_{kind}.json"));
        }
    }
    assert_round_trip::<GetWhoami>("sekoia/whoami_tenant.json");
}

#[test]
#[ignore = "needs recorded material beside the checkout: `cargo xtask test` runs it where that is"]
fn recorded_pages_and_items_round_trip() {
    assert_items_round_trip::<ListAlerts>("xsoar/alert_list.json", 3);
    assert_items_round_trip::<SearchAlerts>("xsoar/alert_list.json", 3);
    assert_items_round_trip::<ListEndpoints>("xsoar/endpoint_list.json", 2);
    assert_items_round_trip::<ListEndpoints>("jason-costello/endpoints_page.json", 1);
    assert_items_round_trip::<ListPartnerTenants>("jason-costello/partner_tenants_page.json", 1);
    assert_items_round_trip::<ListOrganizationTenants>("jason-costello/partner_tenants_page.json", 1);
    assert_items_round_trip::<ListPartnerTenants>("xsoar/page_beyond_end.json", 0);
    assert_items_round_trip::<ListSiemEvents>("siem-integration/events_page.json", 2);
    assert_items_round_trip::<ListSiemEvents>("sekoia/siem_events_page.json", 2);
}

#[test]
fn alert_is_parsed() {
    let text = body("alert.json");
    let alert = parse_body::<GetAlert>("alert_single", &text);
    assert_eq!(alert.id, "9e0c41d2-77b3-4f0a-91c5-3ad0b2f7c001");
    assert_eq!(alert.allowed_actions, Some(vec![AlertActionKind::ClearThreat]));
    assert_eq!(alert.category, Some(AlertCategory::Malware));
    assert_eq!(alert.product, Some(Product::Endpoint));
    assert_eq!(alert.severity, Some(AlertSeverity::High));
    assert_eq!(alert.r#type.as_deref(), Some("Event::Endpoint::Threat::CleanupFailed"));
    let agent = alert.managed_agent.clone().expect("an agent");
    assert_eq!(agent.id.as_deref(), Some("c5e2a0b7-1f64-4d39-a8e3-60d7b1934f12"));
    assert_eq!(alert.tenant.clone().and_then(|tenant| tenant.name).as_deref(), Some("Harbour Works"));
    assert_eq!(alert.raised_at.as_ref().and_then(|at| at.unix_millis()), Some(1_772_439_342_317));
}

#[test]
fn alert_action_is_parsed() {
    let text = body("alert_action.json");
    let action = parse_body::<ActOnAlert>("alert_action", &text);
    assert_eq!(action.id, "17d3a6c4-58be-4a02-b7f9-0c1d2e3f4a5b");
    assert_eq!(action.alert_id.as_deref(), Some("9e0c41d2-77b3-4f0a-91c5-3ad0b2f7c001"));
    assert_eq!(action.action, Some(AlertActionKind::ClearThreat));
    assert_eq!(action.status.as_deref(), Some("requested"));
    assert_eq!(action.result.as_deref(), Some("success"));
    assert_eq!(action.requested_at.as_ref().and_then(|at| at.unix_millis()), Some(1_772_439_600_125));
    assert_eq!(action.completed_at, None);
}

#[test]
fn endpoint_is_parsed() {
    let text = body("endpoint.json");
    let endpoint = parse_body::<GetEndpoint>("endpoint_single", &text);
    assert_eq!(endpoint.r#type, Some(EndpointType::Server));
    assert_eq!(endpoint.hostname.as_deref(), Some("dock-7"));
    let health = endpoint.health.clone().expect("health");
    assert_eq!(health.overall, Some(HealthStatus::Suspicious));
    assert_eq!(health.services.and_then(|services| services.service_details).map(|list| list.len()), Some(2));
    let os = endpoint.os.clone().expect("an operating system");
    assert_eq!((os.is_server, os.platform, os.build), (Some(true), Some(Platform::Windows), Some(20_348)));
    let group = endpoint.group.clone().expect("a group");
    assert_eq!((group.id, group.name.as_deref()), (None, Some("Dock's Own Group")));
    assert_eq!(endpoint.tamper_protection_enabled, Some(true));
    assert_eq!(
        endpoint.lockdown.clone().and_then(|lockdown| lockdown.status),
        Some(LockdownStatus::NotInstalled)
    );
    assert_eq!(endpoint.isolation, None);
}

#[test]
fn endpoint_is_parsed_without_string_booleans() {
    let text = body("endpoints_page.json");
    let page = parse_body::<ListEndpoints>("endpoint_list", &text);
    assert_eq!(
        (page.pages.size, page.pages.max_size, page.pages.next_key.as_deref()),
        (Some(50), Some(500), None)
    );
    let computer = page.items[0].clone().parse().expect("an endpoint");
    assert_eq!(computer.tamper_protection_enabled, None);
    let os = computer.os.clone().expect("an operating system");
    assert_eq!((os.is_server, os.major_version), (None, Some(10)));
    assert!(computer.raw().contains(r#""isServer": "False""#), "the JSON of the service");
    let volumes = computer.encryption.clone().and_then(|encryption| encryption.volumes).expect("volumes");
    assert_eq!(volumes[0].volume_id.as_deref(), Some(r"\\?\Volume{6c1f0b8a-2d37-4e95-b0a4-917f3c5d2e80}\"));
    assert_eq!(computer.lockdown, None);
    let server = page.items[1].clone().parse().expect("an endpoint");
    assert_eq!((server.r#type.clone(), server.encryption.clone()), (Some(EndpointType::Server), None));
}

#[test]
fn isolation_is_parsed() {
    for (file, enabled) in [("isolate.json", true), ("release.json", false)] {
        let text = body(file);
        let items = parse_body::<UpdateIsolations>(file, &text).into_inner().items.expect("items");
        assert_eq!(items[0].id, "7ac19e40-5b62-4d8f-93e1-c04d2b6f8a75");
        let isolation = items[0].isolation.clone().expect("an isolation");
        assert_eq!(
            (isolation.enabled, isolation.comment.as_deref()),
            (Some(enabled), Some("a trial")),
            "{file}"
        );
        let by = isolation.last_enabled_by.expect("an actor");
        assert_eq!((by.id.as_deref(), by.name), (Some("b3d5f7a9-1c2e-4f60-8a7b-9c0d1e2f3a4b"), None));
        assert_eq!(isolation.last_enabled_at.and_then(|at| at.unix_millis()), Some(1_772_442_423_000));
        assert_eq!(isolation.last_disabled_at.and_then(|at| at.unix_millis()), Some(1_772_445_242_000));
    }
}

#[test]
fn tenants_are_parsed() {
    let single = body("tenant.json");
    let tenant = parse_body::<GetPartnerTenant>("tenant_single", &single);
    assert_eq!(tenant.id, "2C7E90B4-8f13-4d5a-b6c2-7e8f9a0b1c2d".into());
    assert_eq!(tenant.api_host.as_deref(), Some("https://api-eu01.dev.central.sophos.com"));
    assert_eq!(tenant.status.as_deref(), Some("active"));
    assert_eq!(
        tenant.organization.clone().and_then(|organization| organization.id).as_deref(),
        Some("8d9e0f1a-2b3c-4d5e-9f6a-7b8c9d0e1f2a")
    );
    assert_eq!(
        tenant.data_region.as_deref().and_then(DataRegion::from_code).map(|region| region.location),
        Some("Ireland")
    );

    let page = body("tenants_page.json");
    let page = parse_body::<ListPartnerTenants>("partner_tenants_page", &page);
    assert_eq!((page.pages.current, page.pages.max_size, page.pages.total), (Some(1), Some(100), None));
    assert_eq!(page.items[0].clone().parse().expect("a tenant").name.as_deref(), Some("Lighthouse"));

    let beyond = body("page_beyond_end.json");
    let beyond = parse_body::<ListPartnerTenants>("page_beyond_end", &beyond);
    assert_eq!((beyond.pages.current, beyond.pages.total, beyond.items.len()), (Some(2), Some(1), 0));
}

#[test]
fn whoami_is_parsed() {
    for (file, id, id_type, region) in [
        ("whoami_partner.json", "A1F0C3D2-5B64-4E87-9A10-BC2D3E4F5061", IdType::Partner, None),
        ("whoami_organization.json", "B2E1D4C3-6A75-4F98-8B21-CD3E4F506172", IdType::Organization, None),
        ("whoami_tenant.json", "4b1d2f0e-9c35-47aa-8d61-2f90c1a7e344", IdType::Tenant, Some("eu02")),
    ] {
        let text = body(file);
        let whoami = parse_body::<GetWhoami>(file, &text).into_inner();
        assert_eq!((whoami.id.as_str(), whoami.id_type), (id, Some(id_type)), "{file}");
        let hosts = whoami.api_hosts.expect(file);
        assert_eq!(hosts.global.as_deref(), Some("https://api.central.sophos.com"), "{file}");
        let expected = region.map(|region| format!("https://api-{region}.central.sophos.com"));
        assert_eq!(hosts.data_region, expected, "{file}");
    }
}

#[test]
fn siem_events_are_parsed_with_nulls() {
    let text = body("events_page.json");
    let page = parse_body::<ListSiemEvents>("events_page", &text);
    assert!(!page.has_more);
    assert_eq!(page.next_cursor.as_deref(), Some("VjJfQ1VSU09SfDIwMjYtMDMtMDJUMDY6MjU6NDEuNjA2Wg=="));
    let event = page.items[1].clone().parse().expect("an event");
    assert_eq!(event.id, "3f5a7c9e-1b2d-4e6f-8091-a2b3c4d5e602");
    assert_eq!(event.severity, Some(SiemSeverity::Medium));
    assert_eq!(event.group.as_deref(), Some("MALWARE"));
    assert_eq!(event.source.as_deref(), Some("n/a"));
    assert_eq!(event.source_info.clone().and_then(|info| info.ip).as_deref(), Some("10.20.30.40"));
    assert_eq!(event.origin, None);
    assert!(event.raw().contains(r#""origin": null"#), "the JSON of the service");
}

#[test]
fn token_is_parsed_with_and_without_tracking_id() {
    for (file, tracking_id) in
        [("token.json", Some("c6d7e8f9-0a1b-4c2d-8e3f-4a5b6c7d8e9f")), ("token_untracked.json", None)]
    {
        let text = body(file);
        let token = parse_body::<RequestToken>(file, &text);
        assert!(token.access_token.is_some(), "{file}");
        assert_eq!(token.expires_in, Some(3_600), "{file}");
        assert_eq!(token.error_code.as_deref(), Some("success"), "{file}");
        assert_eq!(token.tracking_id.as_deref(), tracking_id, "{file}");
    }
}

#[test]
fn error_responses_are_parsed_with_their_ids() {
    const ZERO: Option<&str> = Some("00000000-0000-0000-0000-000000000000");
    const PLACEHOLDER: Option<&str> = Some("d4e5f6a7-b8c9-4d0e-8f1a-2b3c4d5e6f70");
    for (file, code, request, correlation) in [
        ("token_refused.json", "oauth.invalid_client_secret", None, None),
        ("token_refused_tracked.json", "oauth.invalid_client_secret", ZERO, None),
        ("refused.json", "Unauthorized", ZERO, ZERO),
        ("refused_in_full.json", "string", PLACEHOLDER, PLACEHOLDER),
    ] {
        let text = body(file);
        let error = parse_response::<GetWhoami>(401, text).expect_err(file);
        assert_eq!(error.kind(), ErrorKind::Unauthorized, "{file}");
        assert_eq!(error.code(), Some(code), "{file}");
        assert_eq!((error.request_id(), error.correlation_id()), (request, correlation), "{file}");
    }
}

#[test]
#[ignore = "needs recorded material beside the checkout: `cargo xtask test` runs it where that is"]
fn recorded_tokens_and_errors_are_parsed() {
    for file in ["xsoar/auth_token.json", "sekoia/token_success.json"] {
        assert!(parse_body::<RequestToken>(file, &body(file)).access_token.is_some(), "{file}");
    }
    for file in [
        "sekoia/token_error_401.json",
        "sophos-community/token_error_401.json",
        "sophos-community/api_error_401.json",
        "jason-costello/error_schema_placeholder.json",
    ] {
        let error = parse_response::<GetWhoami>(401, body(file)).expect_err(file);
        assert_eq!(error.kind(), ErrorKind::Unauthorized, "{file}");
        assert!(error.code().is_some(), "{file}");
    }
}

/// The recorded bodies of operations that this crate does not have.
const UNSUPPORTED_OPERATIONS: [&str; 18] = [
    "xsoar/add_endpoints.json",
    "xsoar/added_users.json",
    "xsoar/allowed_item_list.json",
    "xsoar/blocked_item_list.json",
    "xsoar/endpoint_create_group.json",
    "xsoar/endpoint_get_membership.json",
    "xsoar/endpoint_groups_list.json",
    "xsoar/endpoint_scan.json",
    "xsoar/endpoint_tamper.json",
    "xsoar/exploit_mitigation_list.json",
    "xsoar/person.json",
    "xsoar/policy_list.json",
    "xsoar/remove_single_endpoints.json",
    "xsoar/scan_exclusion_list.json",
    "xsoar/usergroups_list.json",
    "xsoar/users_list.json",
    "xsoar/users_single.json",
    // The output of a client, not a body of the service.
    "siem-integration/client_output_lines_2019.json",
];

#[test]
#[ignore = "needs recorded material beside the checkout: `cargo xtask test` runs it where that is"]
fn every_recorded_body_is_covered() {
    let fixtures = support::recorded("fixtures");
    let here = include_str!("recorded_responses.rs");
    for folder in ["xsoar", "sekoia", "siem-integration", "jason-costello", "sophos-community"] {
        for entry in std::fs::read_dir(fixtures.join(folder)).expect(folder) {
            let name = entry.expect(folder).file_name().into_string().expect("a plain name");
            let file = format!("{folder}/{name}");
            let read = here.contains(&file) || name.starts_with("whoami_");
            assert!(read || UNSUPPORTED_OPERATIONS.contains(&file.as_str()), "{file}");
        }
    }
}
