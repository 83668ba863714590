//! Class 2004: detections among the events, and all alerts.

use serde_json::{Value, json};

use super::{
    OcsfRow,
    base::{Attributes, Source},
    device::siem_device,
    event_type::{Disposition, FindingActivity, FindingRule},
    evidence::siem_evidence,
    record::{detection_and_path, json_text, text},
};
use crate::class::Class;

/// Members of an event without a place in the class.
const UNMAPPED_OF_EVENTS: [&str; 4] = [
    "whitelist_properties",
    "core_remedy_items",
    "details",
    // A certificate of OCSF needs an issuer and a serial number.
    "appCerts",
];

/// Maps an event.
pub(crate) fn map_event(source: &Source<'_>, finding: FindingRule) -> OcsfRow {
    let name = source.text("name");
    let group = source.text("group");
    let info = Attributes::new()
        .text("uid", Some(&source.row.id))
        .text("desc", name.as_deref())
        .list("types", group.as_deref());
    let malware = match group.as_deref() {
        Some(group @ ("MALWARE" | "PUA" | "RUNTIME_DETECTIONS")) => malware(source, 99, group),
        _ => None,
    };
    let unmapped = source.unmapped(&UNMAPPED_OF_EVENTS);
    map(source, finding, info, malware, unmapped)
}

/// Maps an alert.
pub(crate) fn map_alert(source: &Source<'_>) -> OcsfRow {
    let data = source.record.get("data").unwrap_or(&Value::Null);
    let event_id = source.text("event_service_event_id");
    let event_type = source.event_type();
    let info = Attributes::new()
        .text("uid", Some(event_id.as_deref().unwrap_or(&source.row.id)))
        .text("desc", source.text("description"))
        .list("types", source.text("type").as_deref());
    let status = text(data, "threat_status").map(|status| status.to_ascii_uppercase());
    let finding = match status.as_deref() {
        Some("CLEANED_UP") => FindingRule::new(FindingActivity::Create, Disposition::CORRECTED).resolved(),
        Some("DISMISSED") => FindingRule::new(FindingActivity::Create, Disposition::ALERT).resolved(),
        Some("NOT_CLEANUPABLE" | "CLEANUP_FAILED") => {
            FindingRule::new(FindingActivity::Create, Disposition::UNCORRECTED)
        }
        _ => FindingRule::new(FindingActivity::Create, Disposition::ALERT),
    };
    let malware =
        if event_type.contains("Pua") { malware(source, 99, "PUA") } else { malware(source, 0, "Unknown") };
    let unmapped = source.unmapped(&["threat_cleanable"]).text("data", json_text(source.record, "data"));
    map(source, finding, info, malware, unmapped)
}

fn map(
    source: &Source<'_>,
    finding: FindingRule,
    info: Attributes,
    malware: Option<Value>,
    unmapped: Attributes,
) -> OcsfRow {
    // A repeated record with other content is an update.
    let activity = match finding.activity {
        FindingActivity::Create if source.row.revision > 0 => FindingActivity::Update,
        activity => activity,
    };
    let device = siem_device(source);
    let resource = device.as_ref().map(|_| resource(source));
    let info = info
        .text("title", Some(title(source)))
        .with("created_time", source.created_ms())
        .with("first_seen_time", source.row.time.map(jiff::Timestamp::as_millisecond))
        .object("analytic", analytic(source));
    let (status_id, status) =
        if finding.is_resolved || activity == FindingActivity::Close { (4, "Resolved") } else { (1, "New") };
    let Disposition { action_id, action, disposition_id, disposition } = finding.disposition;
    let message = source.text("name").or_else(|| source.text("description"));
    let attributes = Attributes::new()
        .object("finding_info", info)
        .text("message", message)
        .with("status_id", Some(status_id))
        .text("status", Some(status))
        .with("action_id", Some(action_id))
        .text("action", Some(action))
        .with("disposition_id", Some(disposition_id))
        .text("disposition", Some(disposition))
        .list("malware", malware)
        .object("device", device.unwrap_or_default())
        .list("evidences", siem_evidence(source))
        .list("resources", resource.and_then(Attributes::non_empty))
        .object("unmapped", unmapped);
    source.row(Class::DetectionFinding, activity as u32, &source.row.id, attributes)
}

/// The threat, the detection in the name, or the type: a finding needs a title.
fn title(source: &Source<'_>) -> String {
    let from_name = || {
        let name = source.text("name").or_else(|| source.text("description"))?;
        let (detection, _) = detection_and_path(&name)?;
        (!detection.is_empty()).then(|| detection.to_owned())
    };
    let threat = source.text("threat").map(|threat| threat.into_owned());
    let of_type = || source.text("type").map(|text| text.into_owned());
    threat.or_else(from_name).or_else(of_type).unwrap_or_else(|| source.row.id.clone().into_owned())
}

fn analytic(source: &Source<'_>) -> Attributes {
    let Some(origin) = source.text("origin") else { return Attributes::new() };
    Attributes::new().text("name", Some(&origin)).with("type_id", Some(99)).text("type", Some(&origin))
}

fn malware(source: &Source<'_>, classification: u32, name: &str) -> Option<Value> {
    let threat = source.text("threat")?;
    Some(json!({
        "name": threat,
        "classification_ids": [classification],
        "classifications": [name],
        "provider": "Sophos",
    }))
}

fn resource(source: &Source<'_>) -> Attributes {
    let data = source.record.get("data").unwrap_or(&Value::Null);
    let id = source.text("endpoint_id").or_else(|| text(data, "endpoint_id"));
    let name = source.text("location");
    if id.is_none() && name.is_none() {
        return Attributes::new();
    }
    Attributes::new().text("uid", id).text("name", name).text("type", Some("Device"))
}
