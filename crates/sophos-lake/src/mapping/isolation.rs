//! Class 7001: the transitions of a ledger of isolation.

use serde_json::Value;

use super::{
    OcsfRow,
    base::{Attributes, Source},
    event_type::{RemedyActivity, RemedyStatus},
    evidence::network_isolation,
    record::{is_hostname, json_text, text},
};
use crate::class::Class;

/// Members of a transition without a place in the class, by their names in `unmapped`.
const UNMAPPED: [(&str, &str); 14] = [
    ("transition", "/transition"),
    ("sequence", "/sequence"),
    ("action", "/action"),
    ("alert_source", "/alert_source"),
    ("code", "/entry/code"),
    ("reason", "/entry/reason"),
    ("origin", "/entry/origin"),
    ("requires_approval", "/entry/requires_approval"),
    ("expires_at", "/entry/expires_at"),
    ("retry_at", "/entry/retry_at"),
    ("release_after_seconds", "/entry/release_after_seconds"),
    ("effective_at", "/entry/effective_at"),
    ("policy_digest", "/entry/policy_digest"),
    ("source_ip", "/entry/source_ip"),
];

/// The codes of refusals for lack of an endpoint to isolate or to release.
const NO_ENDPOINT: [&str; 2] = ["not_found", "nothing_to_release"];

/// Maps a transition.
pub(crate) fn map_transition(source: &Source<'_>) -> OcsfRow {
    let transition = source.text("transition").unwrap_or_default();
    let entry = source.record.get("entry").unwrap_or(&Value::Null);
    let refusal = entry.get("not_actionable").unwrap_or(entry);
    let code = text(refusal, "code");
    let (activity, status) = (activity(source, &transition), status(&transition, code.as_deref()));
    let detail = text(refusal, "detail").or_else(|| text(entry, "reason"));
    let attributes = Attributes::new()
        .text("command_uid", source.text("decision"))
        .with("status_id", Some(status.id))
        // The status of `Other` is the source's own word.
        .text("status", Some(if status == RemedyStatus::OTHER { &*transition } else { status.name }))
        .text("status_detail", detail)
        .text("message", source.text("title"))
        .object("device", device(source).unwrap_or_default())
        .object("actor", actor(source))
        .list("countermeasures", [network_isolation()])
        .object("unmapped", unmapped(source.record));
    source.row(Class::Remediation, activity as u32, &source.row.id, attributes)
}

/// Whether the transition is of an isolation or of its end.
fn activity(source: &Source<'_>, transition: &str) -> RemedyActivity {
    match transition {
        "release_pending" | "release_requested" | "released" | "transferred" | "superseded" | "delegated" => {
            RemedyActivity::Restore
        }
        _ if source.text("action").as_deref() == Some("release") => RemedyActivity::Restore,
        _ => RemedyActivity::Isolate,
    }
}

fn status(transition: &str, code: Option<&str>) -> RemedyStatus {
    match (transition, code) {
        ("isolated" | "released", _) => RemedyStatus::SUCCESS,
        ("failed", _) => RemedyStatus::FAILURE,
        ("refused", Some(code)) if NO_ENDPOINT.contains(&code) => RemedyStatus::DOES_NOT_EXIST,
        _ => RemedyStatus::OTHER,
    }
}

fn device(source: &Source<'_>) -> Option<Attributes> {
    let id = source.text("endpoint_id")?;
    let name = source.text("hostname");
    let device = Attributes::new()
        .text("uid", Some(id))
        .text("hostname", name.as_deref().filter(|name| is_hostname(name)))
        .text("name", name.as_deref())
        .with("type_id", Some(0))
        .text("type", Some("Unknown"))
        .with("is_managed", Some(true));
    Some(device)
}

/// The tool that sent the alert, and the person who approved or released.
fn actor(source: &Source<'_>) -> Attributes {
    let user = Attributes::new().text("name", source.text("requested_by"));
    Attributes::new().text("app_name", source.text("tool")).object("user", user)
}

fn unmapped(record: &Value) -> Attributes {
    UNMAPPED.iter().fold(Attributes::new(), |unmapped, (name, pointer)| {
        let (object, member) = pointer.rsplit_once('/').unwrap_or_default();
        let text = record.pointer(object).and_then(|object| json_text(object, member));
        unmapped.text(name, text)
    })
}
