//! Detections of Sophos Fusion.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::handlers::fusion::{FieldCall, FieldError};
use crate::handlers::fusion_query::ObjectQuery;
use crate::handlers::fusion_seed::epoch;
use crate::handlers::fusion_state::TenantObjects;
use crate::hash::uuid_text;

const QUERY_FIELDS: &[&str] =
    &["id", "severity", "confidence", "status", "title", "hostname", "host_id", "username"];

/// The largest part of a result.
const MAX_PART: usize = 10_000;

/// The value of a kind of entity, such as `hostName:`.
fn entity(detection: &Value, prefix: &str) -> Value {
    let entities = detection["entities"]["entities"].as_array().into_iter().flatten();
    let found = entities.filter_map(Value::as_str).find_map(|entity| entity.strip_prefix(prefix));
    found.map(Value::from).unwrap_or_default()
}

fn query_member(detection: &Value, name: &str) -> Value {
    match name {
        "severity" | "confidence" | "title" => detection["metadata"][name].clone(),
        "hostname" => entity(detection, "hostName:"),
        "host_id" => entity(detection, "hostId:"),
        "username" => entity(detection, "userName:"),
        _ => detection[name].clone(),
    }
}

fn created_ms(detection: &Value) -> i64 {
    detection["metadata"]["created_at"]["seconds"].as_i64().unwrap_or_default() * 1_000
}

/// The ids of the detections of a query, the newest first.
pub(crate) fn matching(objects: &TenantObjects, query: &str, now: i64) -> Result<Vec<String>, String> {
    let query = ObjectQuery::parse(query, QUERY_FIELDS)?;
    let earliest = query.earliest_ms.map_or(i64::MIN, |age| now - age);
    let found = objects
        .detections
        .iter()
        .filter(|detection| {
            created_ms(detection) >= earliest && query.matches(&|name| query_member(detection, name))
        })
        .filter_map(|detection| detection["id"].as_str().map(str::to_owned));
    Ok(found.take(query.head.unwrap_or(usize::MAX)).collect())
}

fn failed(status: &str, reason: &str) -> Value {
    json!({ "status": status, "reason": reason, "alerts": null, "search_id": null, "queryId": null })
}

/// A page with these detections.
fn page(
    objects: &TenantObjects,
    ids: &[String],
    total: usize,
    offset: usize,
    search_id: Option<&str>,
) -> Value {
    let find = |id: &String| objects.detections.iter().find(|detection| detection["id"] == id.as_str());
    let list: Vec<&Value> = ids.iter().filter_map(find).collect();
    let end = offset + list.len();
    json!({
        "status": "OK", "reason": "", "search_id": search_id, "queryId": search_id,
        "alerts": {
            "list": list, "total_results": total, "part": 1, "total_parts": 1, "first_offset": 0,
            "next_offset": (end < total).then_some(end), "previous_offset": null, "last_offset": null,
        },
    })
}

fn empty_page() -> Value {
    json!({
        "status": "OK", "reason": "", "search_id": null, "queryId": null,
        "alerts": {
            "list": [], "total_results": 0, "part": 1, "total_parts": 1, "first_offset": 0,
            "next_offset": null, "previous_offset": null, "last_offset": null,
        },
    })
}

pub(crate) fn search(call: &FieldCall<'_>) -> Value {
    let Some(tenant) = call.moved_tenant() else { return empty_page() };
    if call.text("search_id").is_some_and(|id| !id.is_empty()) {
        return poll(call);
    }
    let number = |name: &str, otherwise| call.argument[name].as_u64().map_or(otherwise, |n| n as usize);
    let (offset, limit) = (number("offset", 0), number("limit", 100).min(MAX_PART));
    call.central.fusion.with(tenant, |objects| {
        let found = match matching(objects, call.text("cql_query").unwrap_or_default(), call.now) {
            Ok(found) => found,
            Err(reason) => return failed("INVALID_REQUEST", &reason),
        };
        let ids: Vec<String> = found.iter().skip(offset).take(limit).cloned().collect();
        let search_id = uuid_text(objects.rng.uuid());
        let answer = page(objects, &ids, found.len(), offset, Some(&search_id));
        objects.searches.insert(search_id, ids);
        answer
    })
}

pub(crate) fn poll(call: &FieldCall<'_>) -> Value {
    let Some(tenant) = call.moved_tenant() else { return empty_page() };
    let id = call.text("search_id").unwrap_or_default();
    call.central.fusion.with(tenant, |objects| match objects.searches.get(id) {
        Some(ids) => page(objects, ids, ids.len(), 0, Some(id)),
        None => failed("INVALID_REQUEST", "unknown search_id"),
    })
}

pub(crate) fn by_id(call: &FieldCall<'_>) -> Value {
    let Some(tenant) = call.moved_tenant() else { return empty_page() };
    let ids: Vec<String> = call.texts("iDs").into_iter().map(str::to_owned).collect();
    call.central.fusion.with(tenant, |objects| {
        let known: Vec<String> = ids
            .into_iter()
            .filter(|id| objects.detections.iter().any(|detection| detection["id"] == id.as_str()))
            .collect();
        page(objects, &known, known.len(), 0, None)
    })
}

/// The detections of hosts, whose entities have a prefix, or of any entities.
pub(crate) fn by_entity(call: &FieldCall<'_>, prefix: &str) -> Value {
    let Some(tenant) = call.moved_tenant() else { return empty_page() };
    let wanted: Vec<String> = call.texts("iDs").into_iter().map(|id| format!("{prefix}{id}")).collect();
    call.central.fusion.with(tenant, |objects| {
        let is_wanted = |detection: &&Value| {
            let entities = detection["entities"]["entities"].as_array();
            entities
                .is_some_and(|list| list.iter().any(|one| wanted.iter().any(|wanted| one == wanted.as_str())))
        };
        let found = objects.detections.iter().filter(is_wanted);
        let ids: Vec<String> = found.filter_map(|one| one["id"].as_str().map(str::to_owned)).collect();
        page(objects, &ids, ids.len(), 0, None)
    })
}

pub(crate) fn count_by_tenant(call: &FieldCall<'_>) -> Result<Value, FieldError> {
    let query = call.text("ql_query").unwrap_or_default();
    let mut items = Vec::new();
    for tenant in call.tenants() {
        let count = if tenant.platform() == crate::config::Platform::Fusion {
            let found = call.central.fusion.with(tenant, |objects| matching(objects, query, call.now));
            found.map_err(|what| FieldError::bad_request(format!("invalid query: {what}")))?.len()
        } else {
            0
        };
        items.push(json!({ "count": count, "tenant": { "id": tenant.id_text } }));
    }
    Ok(json!({ "items": items }))
}

/// The severity in words, by its number.
fn severity_name(severity: f64) -> &'static str {
    match severity {
        s if s < 0.2 => "info",
        s if s < 0.4 => "low",
        s if s < 0.6 => "medium",
        s if s < 0.8 => "high",
        _ => "critical",
    }
}

pub(crate) fn aggregate(call: &FieldCall<'_>) -> Value {
    let Some(tenant) = call.moved_tenant() else { return json!({ "aggregation": [] }) };
    let key = |detection: &Value| match call.text("group_by") {
        Some("HOSTNAME") => entity(detection, "hostName:"),
        Some("USER") => entity(detection, "userName:"),
        Some("DETECTOR") => detection["metadata"]["creator"]["detector"]["detector_name"].clone(),
        _ => Value::Null,
    };
    let excluded = call.texts("excluded_severities");
    let seconds = |name: &str, otherwise: i64| call.argument[name]["seconds"].as_i64().unwrap_or(otherwise);
    let range = seconds("earliest", i64::MIN)..=seconds("latest", i64::MAX);
    let mut groups: BTreeMap<String, BTreeMap<&str, u64>> = BTreeMap::new();
    call.central.fusion.with(tenant, |objects| {
        for detection in &objects.detections {
            let name = severity_name(detection["metadata"]["severity"].as_f64().unwrap_or_default());
            let is_excluded = excluded.iter().any(|excluded| excluded.eq_ignore_ascii_case(name));
            if !is_excluded && range.contains(&(created_ms(detection) / 1_000)) {
                let key = key(detection).as_str().unwrap_or_default().to_owned();
                *groups.entry(key).or_default().entry(name).or_default() += 1;
            }
        }
    });
    let mut aggregation: Vec<Value> = groups
        .into_iter()
        .map(|(key, counts)| {
            let of = |name: &str| counts.get(name).copied().unwrap_or_default();
            json!({
                "key": key, "count": counts.values().sum::<u64>(),
                "severities": {
                    "info": of("info"), "low": of("low"), "medium": of("medium"), "high": of("high"),
                    "critical": of("critical"),
                },
            })
        })
        .collect();
    aggregation.sort_by_key(|group| std::cmp::Reverse(group["count"].as_u64()));
    aggregation.truncate(call.argument["limit"].as_u64().unwrap_or(100) as usize);
    json!({ "aggregation": aggregation })
}

pub(crate) fn update_resolution(call: &FieldCall<'_>) -> Result<Value, FieldError> {
    let tenant = call.writable_tenant()?;
    let ids = call.texts("alert_ids");
    let status = call.text("resolution_status").unwrap_or("OPEN");
    let done = call.central.fusion.with(tenant, |objects| {
        let is_known = |id: &&str| objects.detections.iter().any(|detection| detection["id"] == *id);
        if ids.is_empty() || !ids.iter().all(is_known) {
            return false;
        }
        for detection in &mut objects.detections {
            if !ids.iter().any(|id| detection["id"] == *id) {
                continue;
            }
            detection["status"] = status.into();
            detection["resolution_reason"] = call.argument["reason"].clone();
            detection["metadata"]["updated_at"] = epoch(call.now);
            if status != "OPEN" && detection["metadata"]["first_resolved_at"].is_null() {
                detection["metadata"]["first_resolved_at"] = epoch(call.now);
            }
        }
        true
    });
    Ok(if done {
        json!({ "reason": "", "resolution_status": "SUCCESS" })
    } else {
        json!({ "reason": "unknown detection", "resolution_status": "FAILED" })
    })
}
