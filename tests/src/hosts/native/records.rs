//! Conversion of the client's models to the names of the WIT.

use serde_json::{Map, Value, json};
use sophos_api::{
    Error, Raw, RequestStats, WithRaw,
    models::{AccountHealth, Alert, AlertAction, Endpoint, Isolation, IsolationStatus, SiemEvent, Tenant},
};

/// Returns a page: valid items, malformed items and the next cursor.
pub(super) fn page<T>(
    items: &str,
    list: Vec<Raw<T>>,
    read: impl Fn(Raw<T>) -> Result<Value, Error>,
    next: Option<String>,
) -> Value {
    let (mut readable, mut malformed_items) = (Vec::new(), Vec::new());
    for item in list {
        let raw = item.json().to_owned();
        match read(item) {
            Ok(value) => readable.push(value),
            Err(error) => malformed_items.push(json!({"raw": raw, "reason": error.to_string()})),
        }
    }
    json!({items: readable, "malformed-items": malformed_items, "next": next})
}

pub(super) fn usage(stats: &RequestStats) -> Value {
    json!({
        "api-requests": stats.api_requests,
        "token-requests": stats.token_requests,
        "retries": stats.retries,
        "throttled": stats.throttled,
        "wait-time-ms": stats.wait_time.as_millis() as u64,
    })
}

pub(super) fn tenant(tenant: &WithRaw<Tenant>) -> Value {
    json!({
        "id": tenant.id,
        "name": tenant.name.as_ref().or(tenant.show_as.as_ref()),
        "data-region": tenant.data_region,
        "data-geography": tenant.data_geography,
        "billing-type": tenant.billing_type,
        "status": tenant.status,
        "raw": tenant.raw(),
    })
}

pub(super) fn endpoint(endpoint: &WithRaw<Endpoint>) -> Value {
    let os = endpoint.os.as_ref();
    let person = endpoint.associated_person.as_ref();
    let tags = endpoint.tags.iter().flatten().filter(|tag| tag.key.is_some());
    json!({
        "id": endpoint.id,
        "kind": endpoint.r#type,
        "hostname": endpoint.hostname,
        "health": endpoint.health.as_ref().and_then(|health| health.overall.as_ref()),
        "platform": os.and_then(|os| os.platform.as_ref()),
        "os": os.and_then(|os| os.name.as_ref()),
        "ipv4-addresses": endpoint.ipv4_addresses.clone().unwrap_or_default(),
        "ipv6-addresses": endpoint.ipv6_addresses.clone().unwrap_or_default(),
        "mac-addresses": endpoint.mac_addresses.clone().unwrap_or_default(),
        "group": endpoint.group.as_ref().and_then(|group| group.name.as_ref()),
        "person": person.and_then(|person| person.via_login.as_ref().or(person.name.as_ref())),
        "tamper-protected": endpoint.tamper_protection_enabled,
        "online": endpoint.online,
        "last-seen-at": endpoint.last_seen_at,
        "isolated": reported_isolation(endpoint),
        "serial-number": endpoint.serial_number,
        "cloud": endpoint.cloud.as_ref().map(|cloud| {
            json!({"provider": cloud.provider, "id": cloud.instance_id})
        }),
        "cloned": endpoint.cloned,
        "tags": tags.map(|tag| json!({"key": tag.key, "value": tag.value})).collect::<Vec<_>>(),
        "raw": endpoint.raw(),
    })
}

fn reported_isolation(endpoint: &Endpoint) -> Option<bool> {
    match endpoint.isolation.as_ref()?.status {
        Some(IsolationStatus::Isolated) => Some(true),
        Some(IsolationStatus::NotIsolated) => Some(false),
        _ => None,
    }
}

pub(super) fn isolation(requested: &WithRaw<Isolation>, endpoint: &WithRaw<Endpoint>) -> Value {
    json!({
        "endpoint-id": endpoint.id,
        "requested": requested.enabled,
        "reported": reported_isolation(endpoint),
        "self-isolated": endpoint.isolation.as_ref().and_then(|isolation| isolation.self_isolated),
        "isolated-at": requested.last_enabled_at,
        "released-at": requested.last_disabled_at,
        "comment": requested.comment,
        "online": endpoint.online,
        "last-seen-at": endpoint.last_seen_at,
        "raw": requested.raw(),
    })
}

pub(super) fn alert(alert: &WithRaw<Alert>) -> Value {
    json!({
        "id": alert.id,
        "severity": alert.severity,
        "category": alert.category,
        "product": alert.product,
        "kind": alert.r#type,
        "description": alert.description,
        "raised-at": alert.raised_at.as_ref().or(alert.created_at.as_ref()),
        "subject": alert.managed_agent.as_ref().map(|agent| {
            json!({"id": agent.id, "kind": agent.r#type, "name": agent.name})
        }),
        "person": alert.person.as_ref().and_then(|person| person.name.as_ref()),
        "allowed-actions": alert.allowed_actions.clone().unwrap_or_default(),
        "group-key": alert.group_key,
        "raw": alert.raw(),
    })
}

pub(super) fn action(action: &WithRaw<AlertAction>) -> Value {
    json!({
        "id": action.id,
        "status": action.status,
        "requested-at": action.requested_at,
        "raw": action.raw(),
    })
}

pub(super) fn event(event: &WithRaw<SiemEvent>) -> Value {
    json!({
        "id": event.id,
        "kind": event.r#type,
        "group": event.group,
        "severity": event.severity,
        "description": event.name,
        "occurred-at": event.when,
        "created-at": event.created_at,
        "endpoint-id": event.endpoint_id,
        "endpoint-kind": event.endpoint_type,
        "hostname": event.location,
        "user": event.source,
        "ip": event.source_info.as_ref().and_then(|info| info.ip.as_ref()),
        "threat": event.threat,
        "raw": event.raw(),
    })
}

pub(super) fn health(health: &WithRaw<AccountHealth>) -> Value {
    let of = |product: &'static str, checks: &Option<Map<String, Value>>| {
        let checks = checks.clone().unwrap_or_default().into_iter();
        checks.map(
            move |(name, outcome)| json!({"product": product, "name": name, "outcome": outcome.to_string()}),
        )
    };
    let checks: Vec<_> =
        of("endpoint", &health.endpoint).chain(of("networkDevice", &health.network_device)).collect();
    json!({"checks": checks, "raw": health.raw()})
}
