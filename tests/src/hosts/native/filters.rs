//! The WIT's filters as the client's.

use serde_json::Value;
use sophos_api::{
    models::IsolationStatus,
    operations::{alerts::ListAlerts, endpoints::ListEndpoints},
};

use super::{optional, texts};

/// A case, and what it holds.
fn cases(filters: &Value) -> impl Iterator<Item = (&str, &Value)> {
    filters
        .as_array()
        .into_iter()
        .flatten()
        .map(|filter| (filter["tag"].as_str().unwrap_or(""), &filter["val"]))
}

fn words<W: for<'w> From<&'w str>>(value: &Value) -> Vec<W> {
    texts(value).iter().map(|word| W::from(word.as_str())).collect()
}

pub(super) fn endpoints(filters: &Value) -> ListEndpoints {
    let mut list = ListEndpoints::default();
    for (case, value) in cases(filters) {
        match case {
            "ids" => list.ids = texts(value),
            "kinds" => list.r#type = words(value),
            "health" => list.health_status = words(value),
            "online" => list.online = value.as_bool(),
            "isolated" => {
                let word = if *value == true { "isolated" } else { "notIsolated" };
                list.isolation_status = Some(IsolationStatus::from(word));
            }
            "tamper-protected" => list.tamper_protection_enabled = value.as_bool(),
            "tamper-protection-supported" => list.tamper_protection_supported = value.as_bool(),
            "lockdown" => list.lockdown_status = words(value),
            "encryption" => list.overall_encryption_status = texts(value),
            "hostname-contains" => list.hostname_contains = optional(value),
            "serial-number-contains" => list.serial_number_contains = optional(value),
            "person-contains" => list.associated_person_contains = optional(value),
            "text" => list.search = optional(value),
            "ip-addresses" => list.ip_addresses = texts(value),
            "mac-addresses" => list.mac_addresses = texts(value),
            "cloud" => list.cloud = texts(value),
            "seen-before" => list.last_seen_before = optional(value),
            "seen-after" => list.last_seen_after = optional(value),
            "agent-updated-before" => list.last_agent_update_before = optional(value),
            "agent-updated-after" => list.last_agent_update_after = optional(value),
            "os-updated-before" => list.last_os_update_before = optional(value),
            "os-updated-after" => list.last_os_update_after = optional(value),
            other => panic!("{other} is no filter of endpoints"),
        }
    }
    list
}

pub(super) fn alerts(filters: &Value) -> ListAlerts {
    let mut list = ListAlerts::default();
    for (case, value) in cases(filters) {
        match case {
            "since" => list.from = optional(value),
            "before" => list.to = optional(value),
            "severities" => list.severity = words(value),
            "categories" => list.category = words(value),
            "products" => list.product = words(value),
            "ids" => list.ids = texts(value),
            "group-key" => list.group_key = optional(value),
            other => panic!("{other} is no filter of alerts"),
        }
    }
    list
}
