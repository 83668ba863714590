//! `GET /siem/v1/events` and `GET /siem/v1/alerts`

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::call::{Context, invalid_parameter};
use crate::data::tenant::Tenant;
use crate::data::{alerts as siem_alerts, events as siem_events};
use crate::response::{ApiError, ApiResponse};
use crate::served::Dataset;
use crate::time;

const DAY_MS: i64 = 86_400_000;
const MIN_LIMIT: u64 = 200;
const MAX_LIMIT: u64 = 1_000;

pub(crate) fn events(context: &Context<'_>) -> Result<ApiResponse, ApiError> {
    page(context, Dataset::Events)
}

pub(crate) fn alerts(context: &Context<'_>) -> Result<ApiResponse, ApiError> {
    page(context, Dataset::Alerts)
}

/// Encodes a time as a cursor, which stands for all records after it.
pub(crate) fn encode_cursor(position: i64) -> String {
    STANDARD.encode(format!("V2_CURSOR|{}", time::format_millis(position)))
}

pub(crate) fn parse_cursor(text: &str) -> Option<i64> {
    let bytes = STANDARD.decode(text).ok()?;
    let text = std::str::from_utf8(&bytes).ok()?;
    time::parse(text.strip_prefix("V2_CURSOR|")?)
}

/// The position before the first record of the page.
fn start_position(context: &Context<'_>, now: i64) -> Result<i64, ApiError> {
    let query = &context.call.query;
    let oldest = now - DAY_MS;
    if let Some(text) = query.get("cursor") {
        let position = parse_cursor(text).ok_or_else(|| invalid_parameter("cursor"))?;
        // An expired cursor is no error: the feed continues with its oldest record.
        return Ok(position.max(oldest - 1));
    }
    let Some(text) = query.get("from_date") else {
        return Ok(oldest - 1);
    };
    let seconds: i64 = text.parse().map_err(|_| invalid_parameter("from_date"))?;
    if seconds < now.div_euclid(1_000) - DAY_MS / 1_000 {
        return Err(ApiError::bad_request("Invalid request: from_date must be within last 24 hours"));
    }
    Ok(seconds.saturating_mul(1_000) - 1)
}

fn page(context: &Context<'_>, dataset: Dataset) -> Result<ApiResponse, ApiError> {
    let tenant = context.tenant()?;
    let query = &context.call.query;
    let limit = match query.number("limit")? {
        None => MIN_LIMIT,
        Some(limit) if (MIN_LIMIT..=MAX_LIMIT).contains(&limit) => limit,
        Some(_) => return Err(invalid_parameter("limit")),
    } as usize;
    let now = context.central.clock.now_ms();
    let after = start_position(context, now)?;
    let excluded = match dataset {
        Dataset::Events => query.list("exclude_types"),
        _ => Vec::new(),
    };
    let wanted =
        |index: u64| excluded.is_empty() || !excluded.contains(&siem_events::event_type(tenant, index));
    let timeline = tenant.timeline(dataset);
    let mut entries = timeline.entries(after, now).filter(|e| wanted(e.index));
    let mut body = Vec::with_capacity(limit * 700);
    body.extend_from_slice(b"{\"items\":[");
    let mut served = Vec::with_capacity(limit);
    let mut last = after;
    for entry in entries.by_ref().take(limit) {
        if !served.is_empty() {
            body.push(b',');
        }
        write_record(tenant, dataset, entry.index, &mut body);
        served.push(entry.index);
        last = entry.position;
    }
    let has_more = entries.next().is_some();
    let next = if has_more { last } else { now.max(after) };
    body.extend_from_slice(b"],\"has_more\":");
    body.extend_from_slice(if has_more { b"true" } else { b"false" });
    body.extend_from_slice(b",\"next_cursor\":\"");
    body.extend_from_slice(encode_cursor(next).as_bytes());
    body.extend_from_slice(b"\"}");
    Ok(ApiResponse { served: Some((dataset, tenant.number, served)), ..ApiResponse::bytes(200, body) })
}

fn write_record(tenant: &Tenant, dataset: Dataset, index: u64, out: &mut Vec<u8>) {
    match dataset {
        Dataset::Events => siem_events::write(tenant, index, out),
        Dataset::Alerts | Dataset::CommonAlerts => siem_alerts::write_siem(tenant, index, out),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recorded_cursor_round_trips() {
        let recorded = "VjJfQ1VSU09SfDIwMTktMDQtMDFUMTg6MjU6NDEuNjA2Wg==";
        let position = parse_cursor(recorded).unwrap();
        assert_eq!(time::format_millis(position), "2019-04-01T18:25:41.606Z");
        assert_eq!(encode_cursor(position), recorded);
        assert_eq!(parse_cursor("rubbish"), None);
        assert_eq!(parse_cursor(&STANDARD.encode("V1|2019")), None);
    }
}
