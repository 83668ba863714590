//! Okta's event hooks: several events in one delivery, about users. What they
//! say about a client is where the user came from, and no host of ours.

use serde_json::Value;

use super::{
    draft::{Draft, identity},
    place::Place,
};
use crate::signal::Severity;

pub(super) fn read(root: &Value) -> Vec<Draft<'_>> {
    let hook = Place::from(root);
    let events = hook.at("data/events");
    if !events.is_there() {
        return vec![Draft::new(root, Err("it has no data.events"))];
    }
    let documents = events.items().filter_map(Place::value);
    documents.map(|document| event(hook, document, Place::from(document))).collect()
}

fn event<'v>(hook: Place<'v>, document: &'v Value, event: Place<'v>) -> Draft<'v> {
    let identity =
        identity(hook.at("eventId"), [event.at("uuid")], "the hook has no eventId").and_then(|parts| {
            let has_uuid = event.at("uuid").text().is_some();
            has_uuid.then_some(parts).ok_or("an event has no uuid")
        });
    let mut draft = Draft::new(document, identity);
    draft.alert = event.at("uuid").text().map(|uuid| vec![Value::from(uuid)]);
    let signal = &mut draft.signal;
    signal.severity = severity(event.at("severity"));
    signal.title = event.at("displayMessage").words().unwrap_or_default();
    signal.reason = event.at("eventType").words();
    signal.observed_at = event.at("published").words();
    draft
}

/// A log's level.
pub(super) fn severity(place: Place<'_>) -> Option<Severity> {
    match place.word().as_str() {
        "debug" => Some(Severity::Informational),
        "warn" | "warning" => Some(Severity::Medium),
        "error" => Some(Severity::High),
        _ => place.severity(),
    }
}
