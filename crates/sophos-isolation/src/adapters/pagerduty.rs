//! PagerDuty webhooks, version 3. An incident names no host by itself. A custom field may, if the
//! policy points at it.

use serde_json::Value;

use super::{
    NotActionable, ParsedAlerts, ParserInput,
    json_cursor::JsonCursor,
    parsed_alert::{ParsedAlert, key_parts},
};
use crate::signal::Severity;

/// Events that leave an incident open. Updates of custom fields are included, because such a field
/// may name the host. Notes, responders, services, workflows and pings are not.
const OPEN_INCIDENT_EVENTS: [&str; 9] = [
    "incident.triggered",
    "incident.escalated",
    "incident.reopened",
    "incident.priority_updated",
    "incident.acknowledged",
    "incident.unacknowledged",
    "incident.reassigned",
    "incident.delegated",
    "incident.custom_field_values.updated",
];

pub(super) fn parse_alerts(ParserInput { root, .. }: ParserInput<'_>) -> ParsedAlerts<'_> {
    let event = JsonCursor::from(root).get("event");
    let data = event.get("data");
    // Parts of an incident, such as custom field values, name their incident.
    let of = data.get("incident");
    let is_part = of.is_object();
    let incident = if is_part { of } else { data };
    let mut parsed = ParsedAlert::new(root, key_parts(event.get("id"), [], "the message has no event.id"));
    let is_incident = is_part || ["", "incident"].contains(&data.get("type").normalized_text().as_str());
    let id = incident.get("id").text().filter(|_| is_incident);
    parsed.alert_key = id.map(|id| vec![Value::from(id)]);
    let signal = &mut parsed.signal;
    signal.severity =
        parse_severity(incident.get("priority/summary")).or_else(|| parse_severity(incident.get("urgency")));
    signal.title = incident.first_with_text(&["title", "summary"]).display_text().unwrap_or_default();
    signal.observed_at = event.get("occurred_at").display_text();
    let kind = event.get("event_type").text().unwrap_or_default();
    parsed.refusal = if kind == "incident.resolved" || incident.get("status").normalized_text() == "resolved"
    {
        Some(NotActionable::Resolved)
    } else if OPEN_INCIDENT_EVENTS.contains(&kind.as_str()) {
        None
    } else {
        Some(NotActionable::NotAThreat)
    };
    Ok(vec![parsed])
}

/// Parses a priority from P1 to P5, or an urgency.
pub(super) fn parse_severity(cursor: JsonCursor<'_>) -> Option<Severity> {
    match cursor.normalized_text().as_str() {
        "p1" => Some(Severity::Critical),
        "p2" => Some(Severity::High),
        "p3" => Some(Severity::Medium),
        "p4" => Some(Severity::Low),
        "p5" => Some(Severity::Informational),
        _ => cursor.severity(),
    }
}
