//! Splunk's webhook alert action: the first row of a search, whose columns the
//! user names. So a host is only where the configuration says.

use serde_json::Value;

use super::{
    NotActionable,
    json_cursor::JsonCursor,
    parsed_alert::{ParsedAlert, digest, key_parts},
};

/// Reads the row of the delivery, or the rows that the policy iterates over.
pub(super) fn parse_alerts<'v>(root: &'v Value, rows: Option<&'v [Value]>) -> Vec<ParsedAlert<'v>> {
    match rows {
        Some(rows) => {
            rows.iter().map(|document| parse_row(root, document, JsonCursor::from(document))).collect()
        }
        None => vec![parse_row(root, root, JsonCursor::from(root).get("result"))],
    }
}

fn parse_row<'v>(root: &'v Value, document: &'v Value, row: JsonCursor<'v>) -> ParsedAlert<'v> {
    let place = JsonCursor::from(root);
    // A search that fires for each row sends the same sid with each.
    let identity = key_parts(place.get("sid"), [], "it has no sid").map(|mut parts| {
        parts.push(Value::from(digest(row.value().unwrap_or(&Value::Null))));
        parts
    });
    let notable =
        row.first_with_text(&["event_id", "rule_id"]).text().filter(|id| id.contains("@@notable@@"));
    let alert = notable.as_ref().map(|id| vec![Value::from(id.as_str())]);
    let alert = alert.or_else(|| identity.clone().ok());
    let mut draft = ParsedAlert::new(document, identity);
    draft.alert_key = alert;
    draft.refusal = is_resolved(row, notable.is_some()).then_some(NotActionable::Resolved);
    let signal = &mut draft.signal;
    signal.severity = row.first_with_text(&["urgency", "severity"]).severity();
    signal.title = place.get("search_name").display_text().unwrap_or_default();
    signal.observed_at = row.get("_time").display_text();
    draft
}

/// Whether a notable event of Enterprise Security was resolved, closed, or found
/// to be no attack. The columns of other searches may mean anything.
fn is_resolved(row: JsonCursor<'_>, is_notable: bool) -> bool {
    let label = row.get("status_label").normalized_text();
    let status = row.get("status").normalized_text();
    let disposition = row.get("disposition_label").normalized_text();
    ["resolved", "closed"].contains(&label.as_str())
        || ["falsepositive", "benignpositive"].iter().any(|judged| disposition.starts_with(judged))
        || is_notable && ["4", "5", "resolved", "closed"].contains(&status.as_str())
}
