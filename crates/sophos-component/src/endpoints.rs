//! The exported `endpoints`.

use serde_json::Value;
use sophos_api::{
    ApiClient, Error, Paged,
    models::{EndpointType, EndpointView, HealthStatus, IsolationStatus, LockdownStatus},
    operations::endpoint::endpoints::{GetEndpoint, ListEndpoints},
};

use crate::{
    Component,
    bindings::{
        exports::sophos::central::{
            endpoints::{CloudInstance, Endpoint, Filter, Guest, Page, PageOptions, Tag, View},
            tenants::TenantBorrow,
        },
        sophos::central::types::Failure,
    },
    cursor::CursorScope,
    json::{RawOperation, array, boolean, id, into_value_and_text, string, strings},
    page, parse_words,
    session::run_call,
    tenants::Tenant,
};

impl Guest for Component {
    fn search(tenant: TenantBorrow<'_>, filters: Vec<Filter>, options: PageOptions) -> Result<Page, Failure> {
        let tenant: &Tenant = tenant.get();
        run_call(async |client| {
            let mut operation = ListEndpoints::default();
            for filter in filters {
                apply_filter(&mut operation, filter);
            }
            operation.sort = options.sort.into_iter().collect();
            let scope = CursorScope::new('e', tenant.id(), &page::filters(&operation)?);
            operation.page_from_key = page::page_key(scope, options.after.as_deref())?;
            operation.page_size = options.size;
            operation.view = Some(to_endpoint_view(options.view));
            operation.fields = options.fields.unwrap_or_default();

            let response = tenant.with_client(client).send(&operation).await?;
            let next = operation.next_page(&response)?.and_then(|next| next.page_from_key);
            let (endpoints, malformed_items) =
                page::split_items(response.items, &response.malformed_items, parse_endpoint);
            Ok(Page { endpoints, malformed_items, next: next.map(|key| scope.cursor(&key)) })
        })
    }

    fn get(tenant: TenantBorrow<'_>, id: String) -> Result<Endpoint, Failure> {
        let tenant: &Tenant = tenant.get();
        run_call(async |client| {
            let response = tenant.with_client(client).send(&RawOperation(GetEndpoint::full(id))).await?;
            let (endpoint, raw) = into_value_and_text(response)?;
            parse_endpoint(&endpoint, raw).map_err(Error::malformed)
        })
    }
}

fn to_endpoint_view(view: Option<View>) -> EndpointView {
    match view {
        Some(View::Basic) => EndpointView::Basic,
        Some(View::Summary) => EndpointView::Summary,
        Some(View::Full) | None => EndpointView::Full,
    }
}

fn apply_filter(to: &mut ListEndpoints, filter: Filter) {
    match filter {
        Filter::Ids(ids) => to.ids.extend(ids),
        Filter::Kinds(kinds) => to.r#type.extend(parse_words(&kinds, EndpointType::from)),
        Filter::Health(health) => to.health_status.extend(parse_words(&health, HealthStatus::from)),
        Filter::Online(online) => to.online = Some(online),
        Filter::Isolated(true) => to.isolation_status = Some(IsolationStatus::Isolated),
        Filter::Isolated(false) => to.isolation_status = Some(IsolationStatus::NotIsolated),
        Filter::TamperProtected(is) => to.tamper_protection_enabled = Some(is),
        Filter::TamperProtectionSupported(is) => to.tamper_protection_supported = Some(is),
        Filter::Lockdown(states) => to.lockdown_status.extend(parse_words(&states, LockdownStatus::from)),
        Filter::Encryption(states) => to.overall_encryption_status.extend(states),
        Filter::HostnameContains(text) => to.hostname_contains = Some(text),
        Filter::SerialNumberContains(text) => to.serial_number_contains = Some(text),
        Filter::PersonContains(text) => to.associated_person_contains = Some(text),
        Filter::Text(text) => to.search = Some(text),
        Filter::IpAddresses(addresses) => to.ip_addresses.extend(addresses),
        Filter::MacAddresses(addresses) => to.mac_addresses.extend(addresses),
        Filter::Cloud(clouds) => to.cloud.extend(clouds),
        Filter::SeenBefore(time) => to.last_seen_before = Some(time),
        Filter::SeenAfter(time) => to.last_seen_after = Some(time),
        Filter::AgentUpdatedBefore(time) => to.last_agent_update_before = Some(time),
        Filter::AgentUpdatedAfter(time) => to.last_agent_update_after = Some(time),
        Filter::OsUpdatedBefore(time) => to.last_os_update_before = Some(time),
        Filter::OsUpdatedAfter(time) => to.last_os_update_after = Some(time),
    }
}

fn parse_endpoint(from: &Value, raw: String) -> Result<Endpoint, &'static str> {
    Ok(Endpoint {
        id: id(from)?,
        kind: string(from, &["type"]),
        hostname: string(from, &["hostname"]),
        health: string(from, &["health", "overall"]),
        platform: string(from, &["os", "platform"]),
        os: string(from, &["os", "name"]),
        ipv4_addresses: strings(from, &["ipv4Addresses"]),
        ipv6_addresses: strings(from, &["ipv6Addresses"]),
        mac_addresses: strings(from, &["macAddresses"]),
        group: string(from, &["group", "name"]),
        person: string(from, &["associatedPerson", "viaLogin"])
            .or_else(|| string(from, &["associatedPerson", "name"])),
        tamper_protected: boolean(from, &["tamperProtectionEnabled"]),
        online: boolean(from, &["online"]),
        last_seen_at: string(from, &["lastSeenAt"]),
        isolated: reports_isolation(from),
        serial_number: string(from, &["serialNumber"]),
        cloud: from["cloud"].is_object().then(|| CloudInstance {
            provider: string(from, &["cloud", "provider"]),
            id: string(from, &["cloud", "instanceId"]),
        }),
        cloned: boolean(from, &["cloned"]),
        tags: array(from, &["tags"])
            .filter_map(|tag| Some(Tag { key: string(tag, &["key"])?, value: string(tag, &["value"]) }))
            .collect(),
        raw,
    })
}

/// Whether an endpoint reports isolation; `None` for a missing or unknown status.
pub(crate) fn reports_isolation(endpoint: &Value) -> Option<bool> {
    match endpoint["isolation"]["status"].as_str()? {
        "isolated" => Some(true),
        "notIsolated" => Some(false),
        _ => None,
    }
}
