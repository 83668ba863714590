//! PagerDuty's webhooks, version 3. An incident knows no host; a custom field
//! may, where the configuration says which.

use serde_json::Value;

use super::{
    NotActionable,
    draft::{Draft, identity},
    place::Place,
};
use crate::signal::Severity;

/// The events after which an incident is as open as before, or more so. One about
/// custom fields is among them, as such a field may name the host. Notes, responders, services, workflows and pings are none of them.
const OPEN: [&str; 9] = [
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

pub(super) fn read(root: &Value) -> Vec<Draft<'_>> {
    let event = Place::from(root).at("event");
    let data = event.at("data");
    // Of what belongs to an incident, such as its fields, the incident is a part.
    let of = data.at("incident");
    let is_part = of.is_object();
    let incident = if is_part { of } else { data };
    let mut draft = Draft::new(root, identity(event.at("id"), [], "it has no event.id"));
    let is_incident = is_part || ["", "incident"].contains(&data.at("type").word().as_str());
    let id = incident.at("id").text().filter(|_| is_incident);
    draft.alert = id.map(|id| vec![Value::from(id)]);
    let signal = &mut draft.signal;
    signal.severity = severity(incident.at("priority/summary")).or_else(|| severity(incident.at("urgency")));
    signal.title = incident.first(&["title", "summary"]).words().unwrap_or_default();
    signal.observed_at = event.at("occurred_at").words();
    let kind = event.at("event_type").text().unwrap_or_default();
    draft.refusal = if kind == "incident.resolved" || incident.at("status").word() == "resolved" {
        Some(NotActionable::Resolved)
    } else if OPEN.contains(&kind.as_str()) {
        None
    } else {
        Some(NotActionable::NotAThreat)
    };
    vec![draft]
}

/// A priority from P1 on, or the word that is an urgency.
pub(super) fn severity(place: Place<'_>) -> Option<Severity> {
    match place.word().as_str() {
        "p1" => Some(Severity::Critical),
        "p2" => Some(Severity::High),
        "p3" => Some(Severity::Medium),
        "p4" => Some(Severity::Low),
        "p5" => Some(Severity::Informational),
        _ => place.severity(),
    }
}
