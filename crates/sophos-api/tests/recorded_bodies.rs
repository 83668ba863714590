//! Recorded answers of the service, read by the operations that ask for them.

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
        alerts::{ActOnAlert, GetAlert, ListAlerts, SearchAlerts},
        endpoints::{GetEndpoint, ListEndpoints},
        isolation::UpdateIsolations,
        organization::{GetOrganizationTenant, ListOrganizationTenants},
        partner::{GetPartnerTenant, ListPartnerTenants},
        siem::ListSiemEvents,
        token::RequestToken,
        whoami::WhoAmI,
    },
};
use support::{read, shared, shared_text};

fn recorded(file: &str) -> Option<String> {
    shared_text(&format!("fixtures/{file}"))
}

fn answer<O: Operation>(file: &str, text: &str) -> O::Response {
    read::<O>(200, text).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// Written again, the whole answer is what the service sent.
fn is_kept_whole<O: Operation<Response: Serialize>>(file: &str) {
    let Some(text) = recorded(file) else { return };
    let written = serde_json::to_value(answer::<O>(file, &text)).expect(file);
    assert_eq!(written, serde_json::from_str::<Value>(&text).expect(file), "{file}");
}

/// So is each item, which is readable besides.
fn items_are_kept_whole<O: Paged<Response: Serialize>>(file: &str, count: usize) {
    is_kept_whole::<O>(file);
    let Some(text) = recorded(file) else { return };
    let sent: Value = serde_json::from_str(&text).expect(file);
    let items = O::items(answer::<O>(file, &text));
    assert_eq!(items.len(), count, "{file}");
    for (item, sent) in items.into_iter().zip(sent["items"].as_array().expect(file)) {
        let record = item.read().unwrap_or_else(|error| panic!("{file}: {error}"));
        assert_eq!(serde_json::to_value(&record).expect(file), *sent, "{file}");
        assert_eq!(serde_json::from_str::<Value>(record.raw()).expect(file), *sent, "{file}");
    }
}

#[test]
fn every_recorded_answer_is_written_again_as_it_was() {
    let Some(_) = shared("fixtures") else { return };
    is_kept_whole::<ActOnAlert>("xsoar/alert_action.json");
    is_kept_whole::<GetAlert>("xsoar/alert_single.json");
    is_kept_whole::<UpdateIsolations>("xsoar/isolate_endpoint.json");
    is_kept_whole::<UpdateIsolations>("xsoar/deisolate_endpoint.json");
    is_kept_whole::<GetPartnerTenant>("xsoar/tenant_single.json");
    is_kept_whole::<GetOrganizationTenant>("xsoar/tenant_single.json");
    is_kept_whole::<GetEndpoint>("jason-costello/endpoint_single.json");
    for folder in ["xsoar", "jason-costello"] {
        for kind in ["partner", "organization", "tenant"] {
            is_kept_whole::<WhoAmI>(&format!("{folder}/whoami_{kind}.json"));
        }
    }
    is_kept_whole::<WhoAmI>("sekoia/whoami_tenant.json");
}

#[test]
fn every_recorded_page_and_each_of_its_items_is_written_again_as_it_was() {
    let Some(_) = shared("fixtures") else { return };
    items_are_kept_whole::<ListAlerts>("xsoar/alert_list.json", 3);
    items_are_kept_whole::<SearchAlerts>("xsoar/alert_list.json", 3);
    items_are_kept_whole::<ListEndpoints>("xsoar/endpoint_list.json", 2);
    items_are_kept_whole::<ListEndpoints>("jason-costello/endpoints_page.json", 1);
    items_are_kept_whole::<ListPartnerTenants>("jason-costello/partner_tenants_page.json", 1);
    items_are_kept_whole::<ListOrganizationTenants>("jason-costello/partner_tenants_page.json", 1);
    items_are_kept_whole::<ListPartnerTenants>("xsoar/page_beyond_end.json", 0);
    items_are_kept_whole::<ListSiemEvents>("siem-integration/events_page.json", 2);
    items_are_kept_whole::<ListSiemEvents>("sekoia/siem_events_page.json", 2);
}

#[test]
fn an_alert_is_read() {
    let Some(text) = recorded("xsoar/alert_single.json") else { return };
    let alert = answer::<GetAlert>("alert_single", &text);
    assert_eq!(alert.id, "70e3781d-c0f6-4e72-b6aa-3c3ef21f3dbb");
    assert_eq!(alert.allowed_actions, Some(vec![AlertActionKind::ClearThreat]));
    assert_eq!(alert.category, Some(AlertCategory::Malware));
    assert_eq!(alert.product, Some(Product::Endpoint));
    assert_eq!(alert.severity, Some(AlertSeverity::High));
    assert_eq!(alert.r#type.as_deref(), Some("Event::Endpoint::Threat::CleanupFailed"));
    let agent = alert.managed_agent.clone().expect("an agent");
    assert_eq!(agent.id.as_deref(), Some("6e9567ea-bb50-40c5-9f12-42eb308e4c9b"));
    assert_eq!(alert.tenant.clone().and_then(|tenant| tenant.name).as_deref(), Some("Qnasters"));
    assert_eq!(alert.raised_at.as_ref().and_then(|at| at.unix_millis()), Some(1_604_482_279_894));
}

#[test]
fn an_action_on_an_alert_is_read() {
    let Some(text) = recorded("xsoar/alert_action.json") else { return };
    let action = answer::<ActOnAlert>("alert_action", &text);
    assert_eq!(action.id, "e3719218-c243-4766-b709-7c20717b9c1e");
    assert_eq!(action.alert_id.as_deref(), Some("25c7b132-56d8-4bce-9d1b-6c51a7eb3c78"));
    assert_eq!(action.action, Some(AlertActionKind::ClearThreat));
    assert_eq!(action.status.as_deref(), Some("requested"));
    assert_eq!(action.result.as_deref(), Some("success"));
    assert_eq!(action.requested_at.as_ref().and_then(|at| at.unix_millis()), Some(1_604_585_831_659));
    assert_eq!(action.completed_at, None);
}

#[test]
fn an_endpoint_is_read() {
    let Some(text) = recorded("jason-costello/endpoint_single.json") else { return };
    let endpoint = answer::<GetEndpoint>("endpoint_single", &text);
    assert_eq!(endpoint.r#type, Some(EndpointType::Server));
    assert_eq!(endpoint.hostname.as_deref(), Some("myserverhostname"));
    let health = endpoint.health.clone().expect("health");
    assert_eq!(health.overall, Some(HealthStatus::Suspicious));
    assert_eq!(health.services.and_then(|services| services.service_details).map(|list| list.len()), Some(2));
    let os = endpoint.os.clone().expect("an operating system");
    assert_eq!((os.is_server, os.platform, os.build), (Some(true), Some(Platform::Windows), Some(9_600)));
    let group = endpoint.group.clone().expect("a group");
    assert_eq!((group.id, group.name.as_deref()), (None, Some("Bolton's Skinning Service")));
    assert_eq!(endpoint.tamper_protection_enabled, Some(true));
    assert_eq!(
        endpoint.lockdown.clone().and_then(|lockdown| lockdown.status),
        Some(LockdownStatus::NotInstalled)
    );
    assert_eq!(endpoint.isolation, None);
}

#[test]
fn endpoints_whose_booleans_are_strings_are_read_but_for_those() {
    let Some(text) = recorded("xsoar/endpoint_list.json") else { return };
    let page = answer::<ListEndpoints>("endpoint_list", &text);
    assert_eq!(
        (page.pages.size, page.pages.max_size, page.pages.next_key.as_deref()),
        (Some(50), Some(500), None)
    );
    let computer = page.items[0].clone().read().expect("an endpoint");
    assert_eq!(computer.tamper_protection_enabled, None);
    let os = computer.os.clone().expect("an operating system");
    assert_eq!((os.is_server, os.major_version), (None, Some(10)));
    assert!(computer.raw().contains(r#""isServer": "False""#), "as it was sent");
    let volumes = computer.encryption.clone().and_then(|encryption| encryption.volumes).expect("volumes");
    assert_eq!(volumes[0].volume_id.as_deref(), Some(r"\\?\Volume{9f72a59d-0941-4c31-aa69-84ab2bd64d0c}\"));
    assert_eq!(computer.lockdown, None);
    let server = page.items[1].clone().read().expect("an endpoint");
    assert_eq!((server.r#type.clone(), server.encryption.clone()), (Some(EndpointType::Server), None));
}

#[test]
fn an_isolation_is_read() {
    for (file, enabled) in [("xsoar/isolate_endpoint.json", true), ("xsoar/deisolate_endpoint.json", false)] {
        let Some(text) = recorded(file) else { return };
        let items = answer::<UpdateIsolations>(file, &text).into_inner().items.expect("items");
        assert_eq!(items[0].id, "25de27bc-b07a-4728-b7b2-a021365ebbcd");
        let isolation = items[0].isolation.clone().expect("an isolation");
        assert_eq!(
            (isolation.enabled, isolation.comment.as_deref()),
            (Some(enabled), Some("testing")),
            "{file}"
        );
        let by = isolation.last_enabled_by.expect("an actor");
        assert_eq!((by.id.as_deref(), by.name), (Some("e71332ab-c447-45ff-b356-b8b5f3930857"), None));
        assert_eq!(isolation.last_enabled_at.and_then(|at| at.unix_millis()), Some(1_628_845_623_000));
        assert_eq!(isolation.last_disabled_at.and_then(|at| at.unix_millis()), Some(1_628_848_442_000));
    }
}

#[test]
fn tenants_are_read() {
    let Some(single) = recorded("xsoar/tenant_single.json") else { return };
    let tenant = answer::<GetPartnerTenant>("tenant_single", &single);
    assert_eq!(tenant.id, "0AFEF0E6-5df7-4cc0-b8d4-068cfd6820d1".into());
    assert_eq!(tenant.api_host.as_deref(), Some("https://api-eu01.dev.central.sophos.com"));
    assert_eq!(tenant.status.as_deref(), Some("active"));
    assert_eq!(
        tenant.organization.clone().and_then(|organization| organization.id).as_deref(),
        Some("b7823fd8-84b2-4213-ba05-d9109e08e858")
    );
    assert_eq!(
        tenant.data_region.as_deref().and_then(DataRegion::find).map(|region| region.place),
        Some("Ireland")
    );

    let Some(page) = recorded("jason-costello/partner_tenants_page.json") else { return };
    let page = answer::<ListPartnerTenants>("partner_tenants_page", &page);
    assert_eq!((page.pages.current, page.pages.max_size, page.pages.total), (Some(1), Some(100), None));
    assert_eq!(page.items[0].clone().read().expect("a tenant").name.as_deref(), Some("Father Oz"));

    let Some(beyond) = recorded("xsoar/page_beyond_end.json") else { return };
    let beyond = answer::<ListPartnerTenants>("page_beyond_end", &beyond);
    assert_eq!((beyond.pages.current, beyond.pages.total, beyond.items.len()), (Some(2), Some(1), 0));
}

#[test]
fn identities_are_read() {
    for (file, id, id_type, region) in [
        ("xsoar/whoami_partner.json", "5AC55058-622D-4929-8E5D-8FF554F312FE", IdType::Partner, None),
        (
            "xsoar/whoami_organization.json",
            "C37A4BC7-715A-48FD-AE03-D184A391B136",
            IdType::Organization,
            None,
        ),
        ("xsoar/whoami_tenant.json", "11f104c5-cc4a-4a9f-bb9c-632c936dfb9f", IdType::Tenant, Some("eu02")),
        (
            "jason-costello/whoami_tenant.json",
            "7E29B4C2-E68A-4617-BFE1-844666B5300F",
            IdType::Tenant,
            Some("us02"),
        ),
    ] {
        let Some(text) = recorded(file) else { return };
        let whoami = answer::<WhoAmI>(file, &text).into_inner();
        assert_eq!((whoami.id.as_str(), whoami.id_type), (id, Some(id_type)), "{file}");
        let hosts = whoami.api_hosts.expect(file);
        assert_eq!(hosts.global.as_deref(), Some("https://api.central.sophos.com"), "{file}");
        let expected = region.map(|region| format!("https://api-{region}.central.sophos.com"));
        assert_eq!(hosts.data_region, expected, "{file}");
    }
}

#[test]
fn events_of_the_feed_are_read_with_their_nulls() {
    let Some(text) = recorded("siem-integration/events_page.json") else { return };
    let page = answer::<ListSiemEvents>("events_page", &text);
    assert!(!page.has_more);
    assert_eq!(page.next_cursor.as_deref(), Some("VjJfQ1VSU09SfDIwMTktMDQtMDFUMTg6MjU6NDEuNjA2Wg=="));
    let event = page.items[1].clone().read().expect("an event");
    assert_eq!(event.id, "5bc48f19-3905-4f72-9f79-cd381c8e92ce");
    assert_eq!(event.severity, Some(SiemSeverity::Medium));
    assert_eq!(event.group.as_deref(), Some("MALWARE"));
    assert_eq!(event.source.as_deref(), Some("n/a"));
    assert_eq!(event.source_info.clone().and_then(|info| info.ip).as_deref(), Some("10.1.39.32"));
    assert_eq!(event.origin, None);
    assert!(event.raw().contains(r#""origin": null"#), "as it was sent");
}

#[test]
fn a_token_is_read_with_and_without_a_tracking_id() {
    for (file, tracking_id) in [
        ("xsoar/auth_token.json", Some("e9fba575-12d5-4eec-bbce-8c90effb544b")),
        ("sekoia/token_success.json", None),
    ] {
        let Some(text) = recorded(file) else { return };
        let token = answer::<RequestToken>(file, &text);
        assert!(token.access_token.is_some(), "{file}");
        assert_eq!(token.expires_in, Some(3_600), "{file}");
        assert_eq!(token.error_code.as_deref(), Some("success"), "{file}");
        assert_eq!(token.tracking_id.as_deref(), tracking_id, "{file}");
    }
}

#[test]
fn recorded_refusals_are_errors_with_their_ids() {
    const ZERO: Option<&str> = Some("00000000-0000-0000-0000-000000000000");
    const PLACEHOLDER: Option<&str> = Some("3fa85f64-5717-4562-b3fc-2c963f66afa6");
    for (file, code, request, correlation) in [
        ("sekoia/token_error_401.json", "oauth.invalid_client_secret", None, None),
        ("sophos-community/token_error_401.json", "oauth.invalid_client_secret", ZERO, None),
        ("sophos-community/api_error_401.json", "Unauthorized", ZERO, ZERO),
        ("jason-costello/error_schema_placeholder.json", "string", PLACEHOLDER, PLACEHOLDER),
    ] {
        let Some(text) = recorded(file) else { return };
        let error = read::<WhoAmI>(401, text).expect_err(file);
        assert_eq!(error.kind(), ErrorKind::Unauthorized, "{file}");
        assert_eq!(error.code(), Some(code), "{file}");
        assert_eq!((error.request_id(), error.correlation_id()), (request, correlation), "{file}");
    }
}

/// Recorded bodies of operations that this crate does not have.
const OF_OTHER_OPERATIONS: [&str; 18] = [
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
    // Lines that a client printed: no body of the service.
    "siem-integration/client_output_lines_2019.json",
];

#[test]
fn no_recorded_body_is_left_unread() {
    let Some(fixtures) = shared("fixtures") else { return };
    let here = include_str!("recorded_bodies.rs");
    for folder in ["xsoar", "sekoia", "siem-integration", "jason-costello", "sophos-community"] {
        for entry in std::fs::read_dir(fixtures.join(folder)).expect(folder) {
            let name = entry.expect(folder).file_name().into_string().expect("a plain name");
            let file = format!("{folder}/{name}");
            let read = here.contains(&file) || name.starts_with("whoami_");
            assert!(read || OF_OTHER_OPERATIONS.contains(&file.as_str()), "{file}");
        }
    }
}
