//! Okta's event hooks: several events in one delivery, about users. What they
//! say about a client is where the user came from, and no host of ours.

use serde_json::Value;

use super::{
    json_cursor::JsonCursor,
    parsed_alert::{ParsedAlert, key_parts},
};
use crate::signal::Severity;

pub(super) fn parse_alerts(root: &Value) -> Vec<ParsedAlert<'_>> {
    let hook = JsonCursor::from(root);
    let events = hook.get("data/events");
    if !events.exists() {
        return vec![ParsedAlert::new(root, Err("it has no data.events"))];
    }
    let documents = events.elements().filter_map(JsonCursor::value);
    documents.map(|document| parse_event(hook, document, JsonCursor::from(document))).collect()
}

fn parse_event<'v>(hook: JsonCursor<'v>, document: &'v Value, event: JsonCursor<'v>) -> ParsedAlert<'v> {
    let identity =
        key_parts(hook.get("eventId"), [event.get("uuid")], "the hook has no eventId").and_then(|parts| {
            let has_uuid = event.get("uuid").text().is_some();
            has_uuid.then_some(parts).ok_or("an event has no uuid")
        });
    let mut draft = ParsedAlert::new(document, identity);
    draft.alert_key = event.get("uuid").text().map(|uuid| vec![Value::from(uuid)]);
    let signal = &mut draft.signal;
    signal.severity = parse_severity(event.get("severity"));
    signal.title = event.get("displayMessage").display_text().unwrap_or_default();
    signal.reason = event.get("eventType").display_text();
    signal.observed_at = event.get("published").display_text();
    draft
}

/// A log's level.
pub(super) fn parse_severity(place: JsonCursor<'_>) -> Option<Severity> {
    match place.normalized_text().as_str() {
        "debug" => Some(Severity::Informational),
        "warn" | "warning" => Some(Severity::Medium),
        "error" => Some(Severity::High),
        _ => place.severity(),
    }
}
