//! PagerDuty's webhooks, version 3. An incident knows no host; a custom field
//! may, where the configuration says which.

use serde_json::Value;

use super::{
    NotActionable,
    json_cursor::JsonCursor,
    parsed_alert::{ParsedAlert, key_parts},
};
use crate::signal::Severity;

/// The events after which an incident is as open as before, or more so. One about
/// custom fields is among them, as such a field may name the host. Notes, responders, services, workflows and pings are none of them.
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

pub(super) fn parse_alerts(root: &Value) -> Vec<ParsedAlert<'_>> {
    let event = JsonCursor::from(root).get("event");
    let data = event.get("data");
    // Of what belongs to an incident, such as its fields, the incident is a part.
    let of = data.get("incident");
    let is_part = of.is_object();
    let incident = if is_part { of } else { data };
    let mut draft = ParsedAlert::new(root, key_parts(event.get("id"), [], "it has no event.id"));
    let is_incident = is_part || ["", "incident"].contains(&data.get("type").normalized_text().as_str());
    let id = incident.get("id").text().filter(|_| is_incident);
    draft.alert_key = id.map(|id| vec![Value::from(id)]);
    let signal = &mut draft.signal;
    signal.severity =
        parse_severity(incident.get("priority/summary")).or_else(|| parse_severity(incident.get("urgency")));
    signal.title = incident.first_with_text(&["title", "summary"]).display_text().unwrap_or_default();
    signal.observed_at = event.get("occurred_at").display_text();
    let kind = event.get("event_type").text().unwrap_or_default();
    draft.refusal = if kind == "incident.resolved" || incident.get("status").normalized_text() == "resolved" {
        Some(NotActionable::Resolved)
    } else if OPEN_INCIDENT_EVENTS.contains(&kind.as_str()) {
        None
    } else {
        Some(NotActionable::NotAThreat)
    };
    vec![draft]
}

/// A priority from P1 on, or the word that is an urgency.
pub(super) fn parse_severity(place: JsonCursor<'_>) -> Option<Severity> {
    match place.normalized_text().as_str() {
        "p1" => Some(Severity::Critical),
        "p2" => Some(Severity::High),
        "p3" => Some(Severity::Medium),
        "p4" => Some(Severity::Low),
        "p5" => Some(Severity::Informational),
        _ => place.severity(),
    }
}
