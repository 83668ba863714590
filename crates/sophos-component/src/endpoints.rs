//! Computers and servers with the agent.

use serde_json::Value;
use sophos_api::{
    Caller, Error, Paged,
    models::{EndpointType, EndpointView, HealthStatus, IsolationStatus, LockdownStatus},
    operations::endpoints::{GetEndpoint, ListEndpoints},
};

use crate::{
    Component,
    bindings::{
        exports::sophos::central::{
            endpoints::{CloudInstance, Endpoint, Filter, Guest, Listing as Asked, Page, Tag, View},
            tenants::TenantBorrow,
        },
        sophos::central::types::Failure,
    },
    cursor::Listing,
    json::{Unread, id, list, parts, text, texts, truth},
    page,
    session::call,
    tenants::Tenant,
    words,
};

impl Guest for Component {
    fn search(tenant: TenantBorrow<'_>, filters: Vec<Filter>, listing: Asked) -> Result<Page, Failure> {
        let tenant: &Tenant = tenant.get();
        call(async |client| {
            let mut operation = ListEndpoints::default();
            for filter in filters {
                apply(&mut operation, filter);
            }
            operation.sort = listing.sort.into_iter().collect();
            let place = Listing::new('e', tenant.id(), &page::filters(&operation)?);
            operation.page_from_key = page::key(place, listing.after.as_deref())?;
            operation.page_size = listing.size;
            operation.view = Some(view(listing.view));
            operation.fields = listing.fields.unwrap_or_default();

            let answer = tenant.through(client).send(&operation).await?;
            let next = operation.next(&answer)?.and_then(|next| next.page_from_key);
            let (endpoints, unreadable) = page::read(answer.items, &answer.unreadable, read);
            Ok(Page { endpoints, unreadable, next: next.map(|key| place.cursor(&key)) })
        })
    }

    fn get(tenant: TenantBorrow<'_>, id: String) -> Result<Endpoint, Failure> {
        let tenant: &Tenant = tenant.get();
        call(async |client| {
            let answer = tenant.through(client).send(&Unread(GetEndpoint::full(id))).await?;
            let (endpoint, raw) = parts(answer)?;
            read(&endpoint, raw).map_err(Error::malformed)
        })
    }
}

fn view(view: Option<View>) -> EndpointView {
    match view {
        Some(View::Basic) => EndpointView::Basic,
        Some(View::Summary) => EndpointView::Summary,
        Some(View::Full) | None => EndpointView::Full,
    }
}

fn apply(to: &mut ListEndpoints, filter: Filter) {
    match filter {
        Filter::Ids(ids) => to.ids.extend(ids),
        Filter::Kinds(kinds) => to.r#type.extend(words(&kinds, EndpointType::from)),
        Filter::Health(health) => to.health_status.extend(words(&health, HealthStatus::from)),
        Filter::Online(online) => to.online = Some(online),
        Filter::Isolated(true) => to.isolation_status = Some(IsolationStatus::Isolated),
        Filter::Isolated(false) => to.isolation_status = Some(IsolationStatus::NotIsolated),
        Filter::TamperProtected(is) => to.tamper_protection_enabled = Some(is),
        Filter::TamperProtectionSupported(is) => to.tamper_protection_supported = Some(is),
        Filter::Lockdown(states) => to.lockdown_status.extend(words(&states, LockdownStatus::from)),
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

fn read(from: &Value, raw: String) -> Result<Endpoint, &'static str> {
    Ok(Endpoint {
        id: id(from)?,
        kind: text(from, &["type"]),
        hostname: text(from, &["hostname"]),
        health: text(from, &["health", "overall"]),
        platform: text(from, &["os", "platform"]),
        os: text(from, &["os", "name"]),
        ipv4_addresses: texts(from, &["ipv4Addresses"]),
        ipv6_addresses: texts(from, &["ipv6Addresses"]),
        mac_addresses: texts(from, &["macAddresses"]),
        group: text(from, &["group", "name"]),
        person: text(from, &["associatedPerson", "viaLogin"])
            .or_else(|| text(from, &["associatedPerson", "name"])),
        tamper_protected: truth(from, &["tamperProtectionEnabled"]),
        online: truth(from, &["online"]),
        last_seen_at: text(from, &["lastSeenAt"]),
        isolated: reports_isolation(from),
        serial_number: text(from, &["serialNumber"]),
        cloud: from["cloud"].is_object().then(|| CloudInstance {
            provider: text(from, &["cloud", "provider"]),
            id: text(from, &["cloud", "instanceId"]),
        }),
        cloned: truth(from, &["cloned"]),
        tags: list(from, &["tags"])
            .filter_map(|tag| Some(Tag { key: text(tag, &["key"])?, value: text(tag, &["value"]) }))
            .collect(),
        raw,
    })
}

/// Whether an endpoint reports that it is isolated; `None` when it reports
/// neither.
pub(crate) fn reports_isolation(endpoint: &Value) -> Option<bool> {
    match endpoint["isolation"]["status"].as_str()? {
        "isolated" => Some(true),
        "notIsolated" => Some(false),
        _ => None,
    }
}
