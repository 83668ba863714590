//! Splunk's webhook alert action: the first row of a search, whose columns the
//! user names. So a host is only where the configuration says.

use serde_json::Value;

use super::{
    NotActionable,
    draft::{Draft, digest, identity},
    place::Place,
};

/// Reads the row of the delivery, or the rows that the policy iterates over.
pub(super) fn read<'v>(root: &'v Value, rows: Option<&'v [Value]>) -> Vec<Draft<'v>> {
    match rows {
        Some(rows) => rows.iter().map(|document| row(root, document, Place::from(document))).collect(),
        None => vec![row(root, root, Place::from(root).at("result"))],
    }
}

fn row<'v>(root: &'v Value, document: &'v Value, row: Place<'v>) -> Draft<'v> {
    let place = Place::from(root);
    // A search that fires for each row sends the same sid with each.
    let identity = identity(place.at("sid"), [], "it has no sid").map(|mut parts| {
        parts.push(Value::from(digest(row.value().unwrap_or(&Value::Null))));
        parts
    });
    let notable = row.first(&["event_id", "rule_id"]).text().filter(|id| id.contains("@@notable@@"));
    let alert = notable.as_ref().map(|id| vec![Value::from(id.as_str())]);
    let alert = alert.or_else(|| identity.clone().ok());
    let mut draft = Draft::new(document, identity);
    draft.alert = alert;
    draft.refusal = is_over(row, notable.is_some()).then_some(NotActionable::Resolved);
    let signal = &mut draft.signal;
    signal.severity = row.first(&["urgency", "severity"]).severity();
    signal.title = place.at("search_name").words().unwrap_or_default();
    signal.observed_at = row.at("_time").words();
    draft
}

/// Whether a notable event of Enterprise Security was resolved, closed, or found
/// to be no attack. The columns of other searches may mean anything.
fn is_over(row: Place<'_>, is_notable: bool) -> bool {
    let label = row.at("status_label").word();
    let status = row.at("status").word();
    let disposition = row.at("disposition_label").word();
    ["resolved", "closed"].contains(&label.as_str())
        || ["falsepositive", "benignpositive"].iter().any(|judged| disposition.starts_with(judged))
        || is_notable && ["4", "5", "resolved", "closed"].contains(&status.as_str())
}
