//! Splunk's webhook alert action: the first row of a search. Users name the columns, so only the
//! policy can point at the host.

use serde_json::Value;

pub(super) use super::json_cursor::parse_severity;
use super::{
    NotActionable, ParsedAlerts, ParserInput,
    json_cursor::JsonCursor,
    parsed_alert::{ParsedAlert, digest, key_parts},
};

/// Parses the row of the message, or the rows at the `iterate` pointer.
pub(super) fn parse_alerts(ParserInput { root, elements, .. }: ParserInput<'_>) -> ParsedAlerts<'_> {
    Ok(match elements {
        Some(rows) => {
            rows.iter().map(|document| parse_row(root, document, JsonCursor::from(document))).collect()
        }
        None => vec![parse_row(root, root, JsonCursor::from(root).get("result"))],
    })
}

fn parse_row<'v>(root: &'v Value, document: &'v Value, row: JsonCursor<'v>) -> ParsedAlert<'v> {
    let cursor = JsonCursor::from(root);
    // A search that triggers for each row sends the same sid with every row.
    let event_key = key_parts(cursor.get("sid"), [], "the message has no sid").map(|mut parts| {
        parts.push(Value::from(digest(row.value().unwrap_or(&Value::Null))));
        parts
    });
    let notable =
        row.first_with_text(&["event_id", "rule_id"]).text().filter(|id| id.contains("@@notable@@"));
    let alert = notable.as_ref().map(|id| vec![Value::from(id.as_str())]);
    let alert = alert.or_else(|| event_key.clone().ok());
    let mut parsed = ParsedAlert::new(document, event_key);
    parsed.alert_key = alert;
    parsed.refusal = is_resolved(row, notable.is_some()).then_some(NotActionable::Resolved);
    let signal = &mut parsed.signal;
    signal.severity = row.first_with_text(&["urgency", "severity"]).severity();
    signal.title = cursor.get("search_name").display_text().unwrap_or_default();
    signal.observed_at = row.get("_time").display_text();
    parsed
}

/// Whether a notable event of Enterprise Security was resolved, closed, or judged no attack.
/// Columns of other searches may have any meaning.
fn is_resolved(row: JsonCursor<'_>, is_notable: bool) -> bool {
    let label = row.get("status_label").normalized_text();
    let status = row.get("status").normalized_text();
    let disposition = row.get("disposition_label").normalized_text();
    ["resolved", "closed"].contains(&label.as_str())
        || ["falsepositive", "benignpositive"].iter().any(|judged| disposition.starts_with(judged))
        || is_notable && ["4", "5", "resolved", "closed"].contains(&status.as_str())
}
