//! SentinelOne: activities, of which few are threats; and the alerts and
//! threats of its API.

use serde_json::Value;

use super::{
    NotActionable,
    draft::{Draft, Host, account, identity},
    place::{Place, facts},
};
use crate::signal::{HostFacts, Severity};

/// The activities that report a new threat or alert: 3608 is an alert of a
/// custom rule, the others are threats, mitigated or not.
const THREATS: [&str; 7] = ["2", "18", "19", "3608", "4003", "4108", "4109"];

pub(super) fn read(root: &Value) -> Vec<Draft<'_>> {
    let place = Place::from(root);
    let items = place.list(&["data"]).unwrap_or(place);
    let documents = items.items().filter_map(Place::value);
    documents.map(|document| message(document, Place::from(document))).collect()
}

fn message<'v>(document: &'v Value, message: Place<'v>) -> Draft<'v> {
    let (threat, alert, data) = (message.at("threatInfo"), message.at("alertInfo"), message.at("data"));
    let identity = if threat.is_object() || alert.is_object() {
        let id = message.first(&["threatInfo/threatId", "alertInfo/alertId", "id"]);
        let updated = message.first(&["threatInfo/updatedAt", "alertInfo/updatedAt", "updatedAt"]);
        identity(id, [updated], "it has no id")
    } else {
        let id = message.first(&["activityUuid", "threatId", "data/threatId", "id"]);
        identity(id, [], "it has no activityuuid or threatid")
    };
    let mut draft = Draft::new(document, identity);
    let signal = &mut draft.signal;
    signal.account = account(message.first(&["accountId", "agentDetectionInfo/accountId", "data/accountId"]));
    let words = ["data/severity", "ruleInfo/severity", "threatInfo/confidenceLevel", "data/confidenceLevel"];
    signal.severity = severity(message.first(&words));
    let titles = ["primaryDescription", "threatInfo/threatName", "ruleInfo/name", "data/ruleName"];
    signal.title = message.first(&titles).words().unwrap_or_default();
    let reasons = [
        "data/ruleDescription",
        "ruleInfo/description",
        "threatInfo/classification",
        "data/threatClassification",
    ];
    signal.reason = message.first(&reasons).words();
    let seen = [
        "data/detectedAt",
        "alertInfo/reportedAt",
        "threatInfo/identifiedAt",
        "threatInfo/createdAt",
        "createdAt",
    ];
    signal.observed_at = message.first(&seen).words();

    let inner = [threat, alert, data].into_iter().find(|place| place.is_object()).unwrap_or(message);
    draft.refusal = if is_over(inner) {
        Some(NotActionable::Resolved)
    } else if is_threat(message) {
        None
    } else {
        Some(NotActionable::NotAThreat)
    };
    draft.hosts.push(Host::from(host(message)));
    draft
}

/// Whether it is about a threat: by the kind of activity, or by its shape. A
/// threat's id alone is no such shape: notes and verdicts carry one too.
fn is_threat(message: Place<'_>) -> bool {
    let kind = message.at("activityType").text();
    THREATS.iter().any(|threat| kind.as_deref() == Some(threat))
        || message.first(&["data/confidenceLevel", "data/threatClassification"]).is_there()
        || ["threatInfo", "alertInfo"].iter().any(|name| message.at(name).is_object())
        || kind.is_none() && message.first(&["threatId", "data/threatId"]).is_there()
}

fn is_over(inner: Place<'_>) -> bool {
    let verdict = inner.first(&["newAnalystVerdict", "analystVerdict"]).word();
    let status = inner.first(&["newIncidentStatus", "incidentStatus"]).word();
    status == "resolved"
        || ["falsepositive", "benign"].contains(&verdict.as_str())
        || inner.at("mitigationStatus").word() == "markedasbenign"
        || inner.at("confidenceLevel").word() == "benign"
}

/// The host. `agentid` and `uuid` are SentinelOne's ids of the machine, and
/// `externalIp` is that of a whole office.
fn host(message: Place<'_>) -> HostFacts {
    let names = [
        "data/computerName",
        "computerName",
        "agentComputerName",
        "data/agentComputerName",
        "agentRealtimeInfo/agentComputerName",
        "agentRealtimeInfo/name",
        "agentDetectionInfo/agentComputerName",
        "agentDetectionInfo/name",
    ];
    let addresses =
        ["data/agentIpV4", "agentIpV4", "agentDetectionInfo/agentIpV4", "agentRealtimeInfo/agentIpV4"];
    let mut own: Vec<String> = message.first(&addresses).text().into_iter().collect();
    let mut macs = Vec::new();
    for interface in message.at("agentRealtimeInfo/networkInterfaces").items() {
        own.extend(interface.at("inet").facts());
        macs.extend(interface.at("physical").fact());
    }
    HostFacts {
        hostnames: message.first(&names).facts(),
        mac_addresses: facts(macs.iter().map(String::as_str)),
        // One text may hold several, between commas.
        ip_addresses: facts(own.iter().flat_map(|text| text.split(','))),
        ..HostFacts::default()
    }
}

/// A word, with or without `E_` before it, or how sure the engine is.
pub(super) fn severity(place: Place<'_>) -> Option<Severity> {
    match place.word().as_str() {
        "ecritical" => Some(Severity::Critical),
        "ehigh" | "malicious" => Some(Severity::High),
        "emedium" | "suspicious" => Some(Severity::Medium),
        "elow" => Some(Severity::Low),
        "einfo" | "einformational" => Some(Severity::Informational),
        _ => place.severity(),
    }
}
