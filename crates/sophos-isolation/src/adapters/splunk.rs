//! Splunk's webhook alert action: the first row of a search, whose columns the
//! user names. So a host is only where the configuration says.

use serde_json::Value;

use super::{
    draft::{Draft, digest, identity},
    place::Place,
};

pub(super) fn read(root: &Value) -> Vec<Draft<'_>> {
    let place = Place::from(root);
    let row = place.at("result");
    // A search that fires for each row sends the same sid with each.
    let identity = identity(place.at("sid"), [], "it has no sid").map(|mut parts| {
        parts.push(Value::from(digest(row.value().unwrap_or(&Value::Null))));
        parts
    });
    let mut draft = Draft::new(root, identity);
    let signal = &mut draft.signal;
    signal.severity = row.first(&["urgency", "severity"]).severity();
    signal.title = place.at("search_name").words().unwrap_or_default();
    signal.observed_at = row.at("_time").words();
    vec![draft]
}
