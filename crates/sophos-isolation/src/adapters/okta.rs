//! Okta event hooks: one message holds several events about users. The client in an event is the
//! origin of the user, not a managed host.

use serde_json::Value;

use super::{
    ParsedAlerts, ParserInput,
    json_cursor::JsonCursor,
    parsed_alert::{ParsedAlert, key_parts},
};
use crate::signal::Severity;

pub(super) fn parse_alerts(ParserInput { root, .. }: ParserInput<'_>) -> ParsedAlerts<'_> {
    let hook = JsonCursor::from(root);
    let events = hook.get("data/events");
    if !events.exists() {
        return Ok(vec![ParsedAlert::new(root, Err("the message has no data.events"))]);
    }
    let documents = events.elements().filter_map(JsonCursor::value);
    Ok(documents.map(|document| parse_event(hook, document, JsonCursor::from(document))).collect())
}

fn parse_event<'v>(hook: JsonCursor<'v>, document: &'v Value, event: JsonCursor<'v>) -> ParsedAlert<'v> {
    let event_key =
        key_parts(hook.get("eventId"), [event.get("uuid")], "the hook has no eventId").and_then(|parts| {
            let has_uuid = event.get("uuid").text().is_some();
            has_uuid.then_some(parts).ok_or("an event has no uuid")
        });
    let mut parsed = ParsedAlert::new(document, event_key);
    parsed.alert_key = event.get("uuid").text().map(|uuid| vec![Value::from(uuid)]);
    let signal = &mut parsed.signal;
    signal.severity = parse_severity(event.get("severity"));
    signal.title = event.get("displayMessage").display_text().unwrap_or_default();
    signal.reason = event.get("eventType").display_text();
    signal.observed_at = event.get("published").display_text();
    parsed
}

/// Parses a log level.
pub(super) fn parse_severity(cursor: JsonCursor<'_>) -> Option<Severity> {
    match cursor.normalized_text().as_str() {
        "debug" => Some(Severity::Informational),
        "warn" | "warning" => Some(Severity::Medium),
        "error" => Some(Severity::High),
        _ => cursor.severity(),
    }
}
