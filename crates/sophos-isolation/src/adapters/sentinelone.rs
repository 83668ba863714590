//! SentinelOne: activities (a few report a new threat); threats and alerts of the API; and
//! unified alerts.

use serde_json::Value;

use super::{
    NotActionable, ParsedAlerts, ParserInput,
    json_cursor::{JsonCursor, identifiers},
    parsed_alert::{ParsedAlert, ParsedHost, key_parts, parse_account},
    qualified_names::{dotted_domain, with_domain},
};
use crate::signal::{HostIdentifiers, Severity};

/// Activity types that report a new threat or alert. 3608 is an alert of a custom rule and 3784 one
/// of a library rule. 4104 to 4113 mark something as a threat. The others are threats, mitigated or
/// not.
const THREAT_ACTIVITY_TYPES: [&str; 18] = [
    "2", "18", "19", "20", "3608", "3784", "4003", "4104", "4105", "4106", "4107", "4108", "4109", "4110",
    "4111", "4112", "4113", "2016",
];

/// Activity types about library rules. Those that are alerts name the machine.
const LIBRARY_RULE_ACTIVITIES: std::ops::RangeInclusive<u32> = 3780..=3789;

/// The maximum nesting of messages in wrappers: data, alerts, edges, node.
const MAX_DEPTH: usize = 8;

/// Wrappers of messages, and of pages of messages.
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

/// Members that only a message has, not a wrapper.
const MESSAGE_MEMBERS: [&str; 8] = [
    "activityType",
    "activityUuid",
    "threatInfo",
    "alertInfo",
    "threatId",
    "assets",
    "detectionSource",
    "primaryDescription",
];

/// Members that describe a change of a threat reported before.
const STATUS_CHANGE_MEMBERS: [&str; 6] = [
    "newStatus",
    "oldStatus",
    "newIncidentStatus",
    "oldIncidentStatus",
    "newAnalystVerdict",
    "oldAnalystVerdict",
];

pub(super) fn parse_alerts(ParserInput { root, .. }: ParserInput<'_>) -> ParsedAlerts<'_> {
    let mut messages = Vec::new();
    find_messages(root, JsonCursor::from(root), MAX_DEPTH, &mut messages);
    Ok(messages.into_iter().map(|(document, cursor)| parse_message(document, cursor)).collect())
}

/// Finds the messages, each with the list element that contains it, or with the root.
fn find_messages<'v>(
    document: &'v Value,
    cursor: JsonCursor<'v>,
    depth: usize,
    messages: &mut Vec<(&'v Value, JsonCursor<'v>)>,
) {
    if depth > 0 && cursor.value().is_some_and(Value::is_array) {
        for item in cursor.elements() {
            find_messages(item.value().unwrap_or(document), item, depth - 1, messages);
        }
        return;
    }
    let is_message = MESSAGE_MEMBERS.iter().any(|mark| cursor.get(mark).exists());
    let mut wrapped = WRAPPERS.iter().map(|name| cursor.get(name));
    let inner =
        wrapped.find(|inner| inner.value().is_some_and(|inner| inner.is_array() || inner.is_object()));
    match inner {
        Some(inner) if depth > 0 && !is_message => find_messages(document, inner, depth - 1, messages),
        _ => messages.push((document, cursor)),
    }
}

fn parse_message<'v>(document: &'v Value, message: JsonCursor<'v>) -> ParsedAlert<'v> {
    let marks = ["assets", "asset", "detectionSource", "detectionTime"];
    if !message.get("activityType").exists()
        && !message.get("threatInfo").is_object()
        && !message.get("alertInfo").is_object()
        && marks.iter().any(|mark| message.get(mark).exists())
    {
        return parse_unified_alert(document, message);
    }
    let (threat, alert, data) = (message.get("threatInfo"), message.get("alertInfo"), message.get("data"));
    let about = [
        "threatInfo/threatId",
        "alertInfo/alertId",
        "threatId",
        "data/threatId",
        "data/alertId",
        "id",
        "activityUuid",
    ];
    let event_key = if threat.is_object() || alert.is_object() {
        let id = message.first_with_text(&["threatInfo/threatId", "alertInfo/alertId", "id"]);
        let updated = message.first_with_text(&["threatInfo/updatedAt", "alertInfo/updatedAt", "updatedAt"]);
        key_parts(id, [updated], "the message has no id")
    } else if message.get("activityType").exists() {
        let id =
            message.first_with_text(&["activityUuid", "id", "threatId", "data/threatId", "data/alertId"]);
        key_parts(id, [], "the message has no activityUuid or threatId")
    } else {
        let id =
            message.first_with_text(&["activityUuid", "threatId", "data/threatId", "data/alertId", "id"]);
        key_parts(id, [], "the message has no activityUuid or threatId")
    };
    let mut parsed = ParsedAlert::new(document, event_key);
    parsed.alert_key = message.first_with_text(&about).text().map(|id| vec![Value::from(id)]);
    let signal = &mut parsed.signal;
    signal.account = parse_account(message.first_with_text(&[
        "accountId",
        "agentDetectionInfo/accountId",
        "data/accountId",
    ]));
    let words = ["data/severity", "ruleInfo/severity", "threatInfo/confidenceLevel", "data/confidenceLevel"];
    signal.severity = parse_severity(message.first_with_text(&words));
    let titles = ["primaryDescription", "threatInfo/threatName", "ruleInfo/name", "data/ruleName"];
    signal.title = message.first_with_text(&titles).display_text().unwrap_or_default();
    let reasons = [
        "data/ruleDescription",
        "ruleInfo/description",
        "threatInfo/classification",
        "data/threatClassification",
    ];
    signal.reason = message.first_with_text(&reasons).display_text();
    let time_members = [
        "data/detectedAt",
        "alertInfo/reportedAt",
        "threatInfo/identifiedAt",
        "threatInfo/createdAt",
        "createdAt",
    ];
    signal.observed_at = message.first_with_text(&time_members).display_text();

    let inner = [threat, alert, data].into_iter().find(|cursor| cursor.is_object()).unwrap_or(message);
    parsed.refusal = if is_resolved(inner) {
        Some(NotActionable::Resolved)
    } else if is_threat(message) {
        None
    } else {
        Some(NotActionable::NotAThreat)
    };
    parsed.hosts.push(ParsedHost::from(parse_host(message)));
    parsed
}

/// Whether the message reports a new threat: by its activity type, or else by its shape. A threat
/// id or a classification alone does not count in an activity, because notes, verdicts and
/// mitigation reports carry them too.
fn is_threat(message: JsonCursor<'_>) -> bool {
    let data = message.get("data");
    let is_change =
        STATUS_CHANGE_MEMBERS.iter().any(|change| data.get(change).exists() || message.get(change).exists());
    let is_alert = data.get("origAgentName").exists()
        && ["alertId", "ruleName"].iter().any(|name| data.get(name).exists());
    if let Some(kind) = message.get("activityType").text() {
        let number = kind.trim().parse().ok();
        let of_library = number.is_some_and(|number| LIBRARY_RULE_ACTIVITIES.contains(&number));
        return THREAT_ACTIVITY_TYPES.contains(&kind.trim()) || of_library && is_alert && !is_change;
    }
    let shapes = ["threatId", "data/threatId", "data/confidenceLevel", "data/threatClassification"];
    ["threatInfo", "alertInfo"].iter().any(|name| message.get(name).is_object())
        || !is_change && (is_alert || message.first_with_text(&shapes).exists())
}

fn is_resolved(inner: JsonCursor<'_>) -> bool {
    let verdict = inner.first_with_text(&["newAnalystVerdict", "analystVerdict"]).normalized_text();
    let status = inner.first_with_text(&["newIncidentStatus", "incidentStatus"]).normalized_text();
    status == "resolved"
        || is_benign(&verdict)
        || inner.get("mitigationStatus").normalized_text() == "markedasbenign"
        || inner.get("confidenceLevel").normalized_text() == "benign"
}

fn is_benign(verdict: &str) -> bool {
    verdict.contains("falsepositive") || verdict.contains("benign")
}

/// Parses a unified alert. Mitigation does not close it; its status and verdict do.
fn parse_unified_alert<'v>(document: &'v Value, alert: JsonCursor<'v>) -> ParsedAlert<'v> {
    let updated = alert.first_with_text(&["updatedAt", "lastSeenAt"]);
    let mut parsed = ParsedAlert::new(document, key_parts(alert.get("id"), [updated], "the alert has no id"));
    let signal = &mut parsed.signal;
    let accounts = ["realTime/scope/account/id", "detectionTime/scope/accountId", "accountId"];
    signal.account = parse_account(alert.first_with_text(&accounts));
    signal.severity = parse_severity(alert.get("severity"));
    signal.title = alert.get("name").display_text().unwrap_or_default();
    signal.reason = alert.first_with_text(&["classification", "description"]).display_text();
    // Edits by users update `lastSeenAt`, so it is not used.
    signal.observed_at = alert.first_with_text(&["detectedAt", "firstSeenAt", "createdAt"]).display_text();

    let status = alert.get("status").normalized_text();
    let judgements =
        ["analystVerdict", "result", "confidenceLevel"].map(|name| alert.get(name).normalized_text());
    let is_over = ["resolved", "closed", "falsepositive"].contains(&status.as_str())
        || judgements.iter().any(|judgement| is_benign(judgement));
    parsed.refusal = is_over.then_some(NotActionable::Resolved);

    let assets = [alert.get("assets"), alert.get("asset")].into_iter().find(|assets| assets.exists());
    let assets = assets.unwrap_or(JsonCursor::MISSING);
    // Assets at detection time are in a separate list.
    let detected = alert.get("detectionTime/assets");
    let is_alone = assets.elements().count() == 1 && detected.elements().count() == 1;
    let domain = detected.elements().next().filter(|_| is_alone);
    let domain = domain.and_then(|asset| dotted_domain(asset.get("asset/domain")));
    parsed.hosts = assets.elements().filter_map(|cursor| parse_asset(cursor, domain.clone())).collect();
    parsed
}

/// The host of an asset. Other assets are users and cloud resources.
fn parse_asset(asset: JsonCursor<'_>, domain: Option<String>) -> Option<ParsedHost> {
    let kind = asset.first_with_text(&["category", "type"]).normalized_text();
    let has_agent =
        ["agentUuid", "agentVersion", "osType"].iter().any(|name| asset.first_with_text(&[name]).exists());
    let machines =
        ["server", "workstation", "laptop", "desktop", "computer", "endpoint", "device", "virtual"];
    if !has_agent && !kind.is_empty() && !machines.iter().any(|machine| kind.contains(machine)) {
        return None;
    }
    let name = with_domain(&asset.get("name").identifier()?, domain)?;
    let role = asset.get("role").normalized_text();
    let identifiers = HostIdentifiers { hostnames: vec![name], ..HostIdentifiers::default() };
    let refusal = (!["", "target", "victim"].contains(&role.as_str())).then_some(NotActionable::OnlyRelated);
    Some(ParsedHost { identifiers, refusal, ..ParsedHost::default() })
}

/// The host. `agentId` and `uuid` are SentinelOne's ids, and `externalIp` belongs to a whole site.
fn parse_host(message: JsonCursor<'_>) -> HostIdentifiers {
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
    let mut own: Vec<String> = message.first_with_text(&addresses).text().into_iter().collect();
    let mut macs = Vec::new();
    for interface in message.get("agentRealtimeInfo/networkInterfaces").elements() {
        own.extend(interface.get("inet").identifiers());
        macs.extend(interface.get("physical").identifier());
    }
    let name = message.first_with_text(&names).identifier();
    let name = name.and_then(|name| with_domain(&name, dotted_domain(message.first_with_text(&domains))));
    HostIdentifiers {
        hostnames: name.into_iter().collect(),
        mac_addresses: identifiers(macs.iter().map(String::as_str)),
        // One text may hold several addresses, separated by commas.
        ip_addresses: identifiers(own.iter().flat_map(|text| text.split(','))),
        ..HostIdentifiers::default()
    }
}

/// Parses a severity word, with or without the prefix `E_`, or a confidence level.
pub(super) fn parse_severity(cursor: JsonCursor<'_>) -> Option<Severity> {
    match cursor.normalized_text().as_str() {
        "ecritical" => Some(Severity::Critical),
        "ehigh" | "malicious" => Some(Severity::High),
        "emedium" | "suspicious" => Some(Severity::Medium),
        "elow" => Some(Severity::Low),
        "einfo" | "einformational" => Some(Severity::Informational),
        _ => cursor.severity(),
    }
}
