//! Class 7001, and the clean-ups of classes 7001 to 7003: one row for each item.

use serde_json::Value;

use super::{
    OcsfRow,
    base::{Attributes, Source, file},
    device::{siem_device, siem_user},
    event_type::{CleanUpRule, RemedyActivity, RemedyStatus},
    evidence::{network_isolation, path},
    file_remediation,
    record::{self, int_of, json_text, text, text_of},
};
use crate::class::Class;

/// Maps the isolation of a device, or its end.
pub(crate) fn map_isolation(source: &Source<'_>, activity: RemedyActivity) -> OcsfRow {
    let attributes = common(source, RemedyStatus::SUCCESS)
        .list("countermeasures", [network_isolation()])
        .object("unmapped", source.unmapped(&["details", "endpoint_type"]));
    source.row(Class::Remediation, activity as u32, &source.row.id, attributes)
}

/// Maps a clean-up: one row for each item, else one for the file in the event's name,
/// else one of class 7001.
pub(crate) fn map_clean_up(source: &Source<'_>, clean_up: CleanUpRule) -> Vec<OcsfRow> {
    let items = source.record.get("core_remedy_items").and_then(|list| list.get("items"));
    let items = items.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    if items.is_empty() {
        let whole = common(source, clean_up.status).object("unmapped", unmapped(source, &Value::Null));
        let activity = clean_up.activity as u32;
        return vec![match path(source) {
            Some(path) => file_remediation::row(source, activity, &source.row.id, &path, whole),
            None => source.row(Class::Remediation, activity, &source.row.id, whole),
        }];
    }
    items.iter().enumerate().map(|(index, item)| map_item(source, clean_up, index, item)).collect()
}

fn map_item(source: &Source<'_>, clean_up: CleanUpRule, index: usize, item: &Value) -> OcsfRow {
    let uid = format!("{}:{index}", source.row.id);
    let status = text(item, "result").map_or(clean_up.status, |result| RemedyStatus::of_item(&result));
    let attributes = common(source, status).object("unmapped", unmapped(source, item));
    let activity = clean_up.activity as u32;
    let descriptor = text(item, "descriptor");
    let kind = text(item, "type").unwrap_or_default().to_ascii_lowercase();
    match (kind.as_str(), descriptor) {
        ("file", Some(path)) => file_remediation::row(source, activity, &uid, &path, attributes),
        ("process" | "thread", descriptor) => {
            let attributes = attributes.object("process", process(item, descriptor.as_deref(), &uid));
            source.row(Class::ProcessRemediation, activity, &uid, attributes)
        }
        _ => source.row(Class::Remediation, activity, &uid, attributes),
    }
}

/// The process of an item. Without an id of the process the row's own id takes its place.
fn process(item: &Value, descriptor: Option<&str>, uid: &str) -> Attributes {
    let path = text_of(item, &["processPath", "process_path"]);
    let path = path.as_deref().or(descriptor);
    let pid = int_of(item, &["processId", "process_id", "pid"]);
    Attributes::new()
        .with("pid", pid)
        .text("uid", pid.is_none().then_some(uid))
        .text("name", path.map(record::file_name))
        .object("file", path.map(file).unwrap_or_default())
}

/// The attributes of all clean-ups and isolations.
fn common(source: &Source<'_>, status: RemedyStatus) -> Attributes {
    let user = siem_user(source).map(|user| Attributes::new().object("user", user));
    Attributes::new()
        .text("command_uid", Some(&source.row.id))
        .with("status_id", Some(status.id))
        .text("status", Some(status.name))
        .text("message", source.text("name"))
        .object("device", siem_device(source).unwrap_or_default())
        .object("actor", user.unwrap_or_default())
}

fn unmapped(source: &Source<'_>, item: &Value) -> Attributes {
    let of_event = source.unmapped(&["whitelist_properties", "details", "origin", "endpoint_type"]);
    let of_event = of_event.text("threat", source.text("threat"));
    ["type", "result", "descriptor", "processPath", "suspendResult", "sophosPid"]
        .into_iter()
        .fold(of_event, |kept, name| kept.text(&format!("item_{name}"), json_text(item, name)))
}
