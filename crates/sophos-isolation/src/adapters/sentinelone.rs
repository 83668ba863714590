//! SentinelOne: activities, of which few report a new threat; the threats and
//! alerts of its API; and its unified alerts.

use serde_json::Value;

use super::{
    NotActionable,
    draft::{Draft, Host, account, identity},
    names::{dotted_domain, with_domain},
    place::{Place, facts},
};
use crate::signal::{HostFacts, Severity};

/// The activities that report a new threat or alert: 3608 is an alert of a
/// custom rule, 3784 of a rule of the platform's library, from 4104 on something
/// that was marked as a threat, and the others are threats, mitigated or not.
const THREATS: [&str; 18] = [
    "2", "18", "19", "20", "3608", "3784", "4003", "4104", "4105", "4106", "4107", "4108", "4109", "4110",
    "4111", "4112", "4113", "2016",
];

/// The activities about rules of the platform's library. Those that are alerts
/// say on which machine.
const LIBRARY: std::ops::RangeInclusive<u32> = 3780..=3789;

/// How deep messages lie in wrappers: data, alerts, edges, node.
const MAX_DEPTH: usize = 8;

/// The wrappers of messages, and of pages of them.
const WRAPPERS: [&str; 12] = [
    "data",
    "edges",
    "node",
    "nodes",
    "alerts",
    "alert",
    "unifiedAlerts",
    "unifiedAlert",
    "threats",
    "threat",
    "activities",
    "results",
];

/// Members that only a message has, and no wrapper of one.
const MARKS: [&str; 8] = [
    "activityType",
    "activityUuid",
    "threatInfo",
    "alertInfo",
    "threatId",
    "assets",
    "detectionSource",
    "primaryDescription",
];

/// Members that tell what changed about a threat that was reported before.
const CHANGES: [&str; 6] = [
    "newStatus",
    "oldStatus",
    "newIncidentStatus",
    "oldIncidentStatus",
    "newAnalystVerdict",
    "oldAnalystVerdict",
];

pub(super) fn read(root: &Value) -> Vec<Draft<'_>> {
    let mut messages = Vec::new();
    unwrap(root, Place::from(root), MAX_DEPTH, &mut messages);
    messages.into_iter().map(|(document, place)| message(document, place)).collect()
}

/// Finds the messages, each with the element of a list that it stands in, or
/// with the root.
fn unwrap<'v>(
    document: &'v Value,
    place: Place<'v>,
    depth: usize,
    messages: &mut Vec<(&'v Value, Place<'v>)>,
) {
    if depth > 0 && place.value().is_some_and(Value::is_array) {
        for item in place.items() {
            unwrap(item.value().unwrap_or(document), item, depth - 1, messages);
        }
        return;
    }
    let is_message = MARKS.iter().any(|mark| place.at(mark).is_there());
    let mut wrapped = WRAPPERS.iter().map(|name| place.at(name));
    let inner =
        wrapped.find(|inner| inner.value().is_some_and(|inner| inner.is_array() || inner.is_object()));
    match inner {
        Some(inner) if depth > 0 && !is_message => unwrap(document, inner, depth - 1, messages),
        _ => messages.push((document, place)),
    }
}

fn message<'v>(document: &'v Value, message: Place<'v>) -> Draft<'v> {
    let marks = ["assets", "asset", "detectionSource", "detectionTime"];
    if !message.at("activityType").is_there()
        && !message.at("threatInfo").is_object()
        && !message.at("alertInfo").is_object()
        && marks.iter().any(|mark| message.at(mark).is_there())
    {
        return unified(document, message);
    }
    let (threat, alert, data) = (message.at("threatInfo"), message.at("alertInfo"), message.at("data"));
    let about = [
        "threatInfo/threatId",
        "alertInfo/alertId",
        "threatId",
        "data/threatId",
        "data/alertId",
        "id",
        "activityUuid",
    ];
    let identity = if threat.is_object() || alert.is_object() {
        let id = message.first(&["threatInfo/threatId", "alertInfo/alertId", "id"]);
        let updated = message.first(&["threatInfo/updatedAt", "alertInfo/updatedAt", "updatedAt"]);
        identity(id, [updated], "it has no id")
    } else if message.at("activityType").is_there() {
        let id = message.first(&["activityUuid", "id", "threatId", "data/threatId", "data/alertId"]);
        identity(id, [], "it has no activityuuid or threatid")
    } else {
        let id = message.first(&["activityUuid", "threatId", "data/threatId", "data/alertId", "id"]);
        identity(id, [], "it has no activityuuid or threatid")
    };
    let mut draft = Draft::new(document, identity);
    draft.alert = message.first(&about).text().map(|id| vec![Value::from(id)]);
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

/// Whether it reports a new threat: by the kind of activity where there is one,
/// and else by its shape. A threat's id alone is no such shape in an activity,
/// nor is its classification: notes, verdicts and reports of what was done about
/// it carry them too.
fn is_threat(message: Place<'_>) -> bool {
    let data = message.at("data");
    let is_change = CHANGES.iter().any(|change| data.at(change).is_there() || message.at(change).is_there());
    let is_alert = data.at("origAgentName").is_there()
        && ["alertId", "ruleName"].iter().any(|name| data.at(name).is_there());
    if let Some(kind) = message.at("activityType").text() {
        let number = kind.trim().parse().ok();
        let of_library = number.is_some_and(|number| LIBRARY.contains(&number));
        return THREATS.contains(&kind.trim()) || of_library && is_alert && !is_change;
    }
    let shapes = ["threatId", "data/threatId", "data/confidenceLevel", "data/threatClassification"];
    ["threatInfo", "alertInfo"].iter().any(|name| message.at(name).is_object())
        || !is_change && (is_alert || message.first(&shapes).is_there())
}

fn is_over(inner: Place<'_>) -> bool {
    let verdict = inner.first(&["newAnalystVerdict", "analystVerdict"]).word();
    let status = inner.first(&["newIncidentStatus", "incidentStatus"]).word();
    status == "resolved"
        || is_benign(&verdict)
        || inner.at("mitigationStatus").word() == "markedasbenign"
        || inner.at("confidenceLevel").word() == "benign"
}

fn is_benign(verdict: &str) -> bool {
    verdict.contains("falsepositive") || verdict.contains("benign")
}

/// A unified alert. That what was found was mitigated does not make it over: the
/// status and the verdict do.
fn unified<'v>(document: &'v Value, alert: Place<'v>) -> Draft<'v> {
    let updated = alert.first(&["updatedAt", "lastSeenAt"]);
    let mut draft = Draft::new(document, identity(alert.at("id"), [updated], "the alert has no id"));
    let signal = &mut draft.signal;
    let accounts = ["realTime/scope/account/id", "detectionTime/scope/accountId", "accountId"];
    signal.account = account(alert.first(&accounts));
    signal.severity = severity(alert.at("severity"));
    signal.title = alert.at("name").words().unwrap_or_default();
    signal.reason = alert.first(&["classification", "description"]).words();
    // It is seen again whenever somebody edits it.
    signal.observed_at = alert.first(&["detectedAt", "firstSeenAt", "createdAt"]).words();

    let status = alert.at("status").word();
    let judgements = ["analystVerdict", "result", "confidenceLevel"].map(|name| alert.at(name).word());
    let is_over = ["resolved", "closed", "falsepositive"].contains(&status.as_str())
        || judgements.iter().any(|judgement| is_benign(judgement));
    draft.refusal = is_over.then_some(NotActionable::Resolved);

    let assets = [alert.at("assets"), alert.at("asset")].into_iter().find(|assets| assets.is_there());
    let assets = assets.unwrap_or(Place::NOWHERE);
    // What was known when it was detected stands in a list of its own.
    let detected = alert.at("detectionTime/assets");
    let is_alone = assets.items().count() == 1 && detected.items().count() == 1;
    let domain = detected.items().next().filter(|_| is_alone);
    let domain = domain.and_then(|asset| dotted_domain(asset.at("asset/domain")));
    draft.hosts = assets.items().filter_map(|place| asset(place, domain.clone())).collect();
    draft
}

/// The machine that an asset is. Other assets are users, and things of clouds.
fn asset(asset: Place<'_>, domain: Option<String>) -> Option<Host> {
    let kind = asset.first(&["category", "type"]).word();
    let has_agent =
        ["agentUuid", "agentVersion", "osType"].iter().any(|name| asset.first(&[name]).is_there());
    let machines =
        ["server", "workstation", "laptop", "desktop", "computer", "endpoint", "device", "virtual"];
    if !has_agent && !kind.is_empty() && !machines.iter().any(|machine| kind.contains(machine)) {
        return None;
    }
    let name = with_domain(&asset.at("name").fact()?, domain)?;
    let role = asset.at("role").word();
    let facts = HostFacts { hostnames: vec![name], ..HostFacts::default() };
    let refusal = (!["", "target", "victim"].contains(&role.as_str())).then_some(NotActionable::OnlyRelated);
    Some(Host { facts, refusal, ..Host::default() })
}

/// The host. `agentid` and `uuid` are SentinelOne's ids of the machine, and
/// `externalIp` is that of a whole office.
fn host(message: Place<'_>) -> HostFacts {
    let names = [
        "data/computerName",
        "data/origAgentName",
        "computerName",
        "agentComputerName",
        "data/agentComputerName",
        "agentRealtimeInfo/agentComputerName",
        "agentRealtimeInfo/name",
        "agentDetectionInfo/agentComputerName",
        "agentDetectionInfo/name",
    ];
    let domains = ["agentDetectionInfo/agentDomain", "agentRealtimeInfo/agentDomain", "data/agentDomain"];
    let addresses =
        ["data/agentIpV4", "agentIpV4", "agentDetectionInfo/agentIpV4", "agentRealtimeInfo/agentIpV4"];
    let mut own: Vec<String> = message.first(&addresses).text().into_iter().collect();
    let mut macs = Vec::new();
    for interface in message.at("agentRealtimeInfo/networkInterfaces").items() {
        own.extend(interface.at("inet").facts());
        macs.extend(interface.at("physical").fact());
    }
    let name = message.first(&names).fact();
    let name = name.and_then(|name| with_domain(&name, dotted_domain(message.first(&domains))));
    HostFacts {
        hostnames: name.into_iter().collect(),
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
