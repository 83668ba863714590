//! Addresses that Windows endpoints do not communicate with.

use std::net::IpAddr;

use serde_json::{Value, json};

use crate::call::{Context, invalid_parameter};
use crate::engine::{Collection, Seed, verbs};
use crate::response::{ApiError, ApiResponse};
use crate::routes::Route;
use crate::time;

static ADDRESSES: Collection = Collection {
    has_times: false,
    seed: seed_addresses,
    ..Collection::new("blocked_addresses", "blocked address")
};

pub(crate) static ROUTES: &[Route] = &[
    Route::read("blocked_addresses.list", "/endpoint/v1/settings/blocked-addresses", list),
    Route::write("blocked_addresses.block", "POST", "/endpoint/v1/settings/blocked-addresses/bulk", block)
        .with_success(201),
    Route::write(
        "blocked_addresses.unblock",
        "POST",
        "/endpoint/v1/settings/blocked-addresses/bulk/delete",
        unblock,
    ),
];

fn seed_addresses(seed: &mut Seed<'_>) -> Vec<Value> {
    let item = |address: &&str| json!({ "item": address, "createdAt": seed.past(30) });
    ["198.51.100.7", "203.0.113.0/28", "2001:db8:bad::/48"].iter().map(item).collect()
}

/// An address, a prefix such as `10.0.0.0/8`, or a range such as `10.0.0.1-10.0.0.9`.
fn is_valid(text: &str) -> bool {
    let address = |text: &str| text.trim().parse::<IpAddr>().ok();
    if let Some((first, last)) = text.split_once('-') {
        let (Some(first), Some(last)) = (address(first), address(last)) else { return false };
        return first.is_ipv4() == last.is_ipv4() && first <= last;
    }
    if let Some((base, length)) = text.split_once('/') {
        let Some(base) = address(base) else { return false };
        let max = if base.is_ipv4() { 32 } else { 128 };
        return length.parse::<u8>().is_ok_and(|length| length <= max);
    }
    address(text).is_some()
}

/// The addresses that are blocked now, newest first.
fn current(context: &Context<'_>, mut records: Vec<Value>) -> Vec<Value> {
    let now = context.central.clock.now_ms();
    let until = |record: &Value| record["blockedUntil"].as_str().and_then(time::parse_lenient);
    records.retain(|record| until(record).is_none_or(|at| now < at));
    records.reverse();
    records.sort_by_key(|record| std::cmp::Reverse(record["createdAt"].as_str().and_then(time::parse)));
    records
}

fn list(context: &Context<'_>) -> Result<ApiResponse, ApiError> {
    let records = context.state().records(context.central, &ADDRESSES).clone();
    let body = verbs::list_records(context, &ADDRESSES, current(context, records))?;
    Ok(ApiResponse::json(200, &body))
}

/// An address that is already blocked keeps its id.
fn block(context: &Context<'_>) -> Result<ApiResponse, ApiError> {
    let body = context.call.json()?;
    let now = context.central.clock.now_ms();
    let groups = body["items"].as_array().filter(|groups| !groups.is_empty());
    let mut wanted: Vec<(String, Option<&str>)> = Vec::new();
    for group in groups.ok_or_else(|| invalid_parameter("items"))? {
        let until = group["blockedUntil"].as_str();
        if until.is_some_and(|text| time::parse_lenient(text).is_none_or(|at| at <= now)) {
            return Err(invalid_parameter("blockedUntil"));
        }
        let one = std::slice::from_ref(&group["item"]);
        for item in group["item"].as_array().map_or(one, Vec::as_slice) {
            let text = item.as_str().filter(|text| is_valid(text));
            wanted.push((text.ok_or_else(|| invalid_parameter("item"))?.to_owned(), until));
        }
    }
    let mut state = context.state();
    let records = state.records(context.central, &ADDRESSES).clone();
    let known = current(context, records);
    let mut items: Vec<Value> = Vec::new();
    for (address, until) in wanted {
        let is_it = |record: &&Value| record["item"] == address.as_str();
        if let Some(record) = known.iter().chain(&items).find(is_it) {
            items.push(record.clone());
            continue;
        }
        let mut record = json!({ "item": address, "createdAt": time::format_millis(now) });
        if let Some(until) = until {
            record["blockedUntil"] = json!(until);
        }
        items.push(verbs::add(context, &mut state, &ADDRESSES, record)?);
    }
    Ok(ApiResponse::json(context.success, &json!({ "items": items })))
}

fn unblock(context: &Context<'_>) -> Result<ApiResponse, ApiError> {
    let body = context.call.json()?;
    let ids = body["ids"].as_array().filter(|ids| !ids.is_empty());
    let ids = ids.ok_or_else(|| invalid_parameter("ids"))?;
    let mut state = context.state();
    let records = state.records(context.central, &ADDRESSES);
    let mut failed = Vec::new();
    for id in ids {
        let id = id.as_str().ok_or_else(|| invalid_parameter("ids"))?;
        let before = records.len();
        records.retain(|record| !ADDRESSES.has_id(record, id));
        if records.len() == before {
            failed.push(id);
        }
    }
    Ok(ApiResponse::json(200, &json!({ "failedToDelete": failed })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_prefixes_and_ranges_are_valid() {
        for text in ["1.1.2.3", "1.2.2.3/17", "1.3.2.3-1.3.2.6", "2001:db8::1", "2001:db8::/32"] {
            assert!(is_valid(text), "{text}");
        }
        for text in ["", "host", "1.1.2.3/33", "1.3.2.6-1.3.2.3", "1.1.1.1-::1", "::/129"] {
            assert!(!is_valid(text), "{text}");
        }
    }
}
