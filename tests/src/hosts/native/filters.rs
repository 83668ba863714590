//! Conversion of the WIT's filters to the client's.

use serde_json::Value;
use sophos_api::{
    models::IsolationStatus,
    operations::{common::alerts::ListAlerts, endpoint::endpoints::ListEndpoints},
};

use super::{optional_string, strings};

/// Returns the cases and their payloads.
fn cases(filters: &Value) -> impl Iterator<Item = (&str, &Value)> {
    filters
        .as_array()
        .into_iter()
        .flatten()
        .map(|filter| (filter["tag"].as_str().unwrap_or(""), &filter["val"]))
}

fn parse_words<W: for<'w> From<&'w str>>(value: &Value) -> Vec<W> {
    strings(value).iter().map(|word| W::from(word.as_str())).collect()
}

pub(super) fn endpoint_filter(filters: &Value) -> ListEndpoints {
    let mut list = ListEndpoints::default();
    for (case, value) in cases(filters) {
        match case {
            "ids" => list.ids = strings(value),
            "kinds" => list.r#type = parse_words(value),
            "health" => list.health_status = parse_words(value),
            "online" => list.online = value.as_bool(),
            "isolated" => {
                let word = if *value == true { "isolated" } else { "notIsolated" };
                list.isolation_status = Some(IsolationStatus::from(word));
            }
            "tamper-protected" => list.tamper_protection_enabled = value.as_bool(),
            "tamper-protection-supported" => list.tamper_protection_supported = value.as_bool(),
            "lockdown" => list.lockdown_status = parse_words(value),
            "encryption" => list.overall_encryption_status = strings(value),
            "hostname-contains" => list.hostname_contains = optional_string(value),
            "serial-number-contains" => list.serial_number_contains = optional_string(value),
            "person-contains" => list.associated_person_contains = optional_string(value),
            "text" => list.search = optional_string(value),
            "ip-addresses" => list.ip_addresses = strings(value),
            "mac-addresses" => list.mac_addresses = strings(value),
            "cloud" => list.cloud = strings(value),
            "seen-before" => list.last_seen_before = optional_string(value),
            "seen-after" => list.last_seen_after = optional_string(value),
            "agent-updated-before" => list.last_agent_update_before = optional_string(value),
            "agent-updated-after" => list.last_agent_update_after = optional_string(value),
            "os-updated-before" => list.last_os_update_before = optional_string(value),
            "os-updated-after" => list.last_os_update_after = optional_string(value),
            other => panic!("{other} is no filter of endpoints"),
        }
    }
    list
}

pub(super) fn alert_filter(filters: &Value) -> ListAlerts {
    let mut list = ListAlerts::new();
    for (case, value) in cases(filters) {
        match case {
            "since" => list.from = optional_string(value).map(Into::into),
            "before" => list.to = optional_string(value).map(Into::into),
            "severities" => list.severity = parse_words(value),
            "categories" => list.category = parse_words(value),
            "products" => list.product = parse_words(value),
            "ids" => list.ids = strings(value),
            "group-key" => list.group_key = optional_string(value),
            other => panic!("{other} is no filter of alerts"),
        }
    }
    list
}
