//! `GET /siem/v1/events` and `GET /siem/v1/alerts`

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::answer::{Answer, Refusal};
use crate::call::{Context, wrong};
use crate::data::tenant::Tenant;
use crate::data::{alerts as siem_alerts, events as siem_events};
use crate::served::Dataset;
use crate::time;

const DAY_MS: i64 = 86_400_000;
const FEWEST: u64 = 200;
const MOST: u64 = 1_000;

pub(crate) fn events(context: &Context<'_>) -> Result<Answer, Refusal> {
    page(context, Dataset::Events)
}

pub(crate) fn alerts(context: &Context<'_>) -> Result<Answer, Refusal> {
    page(context, Dataset::Alerts)
}

/// A cursor is a time; what it stands for is everything after it.
pub(crate) fn cursor(position: i64) -> String {
    STANDARD.encode(format!("V2_CURSOR|{}", time::millis(position)))
}

pub(crate) fn read_cursor(text: &str) -> Option<i64> {
    let bytes = STANDARD.decode(text).ok()?;
    let text = std::str::from_utf8(&bytes).ok()?;
    time::parse(text.strip_prefix("V2_CURSOR|")?)
}

/// The position after which the page begins.
fn start(context: &Context<'_>, now: i64) -> Result<i64, Refusal> {
    let query = &context.call.query;
    let oldest = now - DAY_MS;
    if let Some(text) = query.get("cursor") {
        let position = read_cursor(text).ok_or_else(|| wrong("cursor"))?;
        // Too old a cursor is no error: the feed goes on with what it still has.
        return Ok(position.max(oldest - 1));
    }
    let Some(text) = query.get("from_date") else {
        return Ok(oldest - 1);
    };
    let seconds: i64 = text.parse().map_err(|_| wrong("from_date"))?;
    if seconds < now.div_euclid(1_000) - DAY_MS / 1_000 {
        return Err(Refusal::bad_request("Invalid request: from_date must be within last 24 hours"));
    }
    Ok(seconds.saturating_mul(1_000) - 1)
}

fn page(context: &Context<'_>, dataset: Dataset) -> Result<Answer, Refusal> {
    let tenant = context.tenant()?;
    let query = &context.call.query;
    let limit = match query.number("limit")? {
        None => FEWEST,
        Some(limit) if (FEWEST..=MOST).contains(&limit) => limit,
        Some(_) => return Err(wrong("limit")),
    } as usize;
    let now = context.central.clock.now_ms();
    let after = start(context, now)?;
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
        write(tenant, dataset, entry.index, &mut body);
        served.push(entry.index);
        last = entry.position;
    }
    let has_more = entries.next().is_some();
    let next = if has_more { last } else { now.max(after) };
    body.extend_from_slice(b"],\"has_more\":");
    body.extend_from_slice(if has_more { b"true" } else { b"false" });
    body.extend_from_slice(b",\"next_cursor\":\"");
    body.extend_from_slice(cursor(next).as_bytes());
    body.extend_from_slice(b"\"}");
    Ok(Answer { served: Some((dataset, tenant.number, served)), ..Answer::bytes(200, body) })
}

fn write(tenant: &Tenant, dataset: Dataset, index: u64, out: &mut Vec<u8>) {
    match dataset {
        Dataset::Events => siem_events::write(tenant, index, out),
        Dataset::Alerts | Dataset::CommonAlerts => siem_alerts::write_siem(tenant, index, out),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_recorded_cursor_reads_and_writes() {
        let recorded = "VjJfQ1VSU09SfDIwMTktMDQtMDFUMTg6MjU6NDEuNjA2Wg==";
        let position = read_cursor(recorded).unwrap();
        assert_eq!(time::millis(position), "2019-04-01T18:25:41.606Z");
        assert_eq!(cursor(position), recorded);
        assert_eq!(read_cursor("rubbish"), None);
        assert_eq!(read_cursor(&STANDARD.encode("V1|2019")), None);
    }
}
