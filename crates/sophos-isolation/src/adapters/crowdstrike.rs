//! CrowdStrike Falcon: event streams, records of the data replicator, alerts of the API, and bodies
//! that users compose from these in notification workflows.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    NotActionable, ParsedAlerts, ParserInput,
    json_cursor::{JsonCursor, severity_from_score},
    parsed_alert::{ParsedAlert, ParsedHost, key_parts, parse_account},
    qualified_names::{dotted_domain, with_domain},
};
use crate::signal::{HostIdentifiers, Severity};

/// Parts of the names of event types that report threats. Other types are logins, sessions,
/// firewall matches and the like.
const THREAT_EVENT_KINDS: [&str; 5] = ["detection", "incident", "alert", "ioa", "automatedlead"];

/// Parts of the names of event types that concern no machine, or actions of console users.
const NON_THREAT_EVENT_KINDS: [&str; 3] = ["audit", "cspm", "cloud"];

/// The description of the sensor's own test detection. Only this text comes from the vendor: anyone
/// can run the command line that triggers it.
const SAMPLE_DETECTION: &str = "Non-malicious sample detection";

const ID_PATHS: [&str; 9] = [
    "CompositeId",
    "DetectionId",
    "DetectId",
    "IncidentId",
    "LeadId",
    "detection/id",
    "detections/id",
    "alert/id",
    "EventUUID",
];

/// Paths to the name of the machine with the detection.
const HOSTNAME_PATHS: [&str; 10] = [
    "Hostname",
    "ComputerName",
    "device/hostname",
    "device/computer_name",
    "host_name",
    "device_hostname",
    "devices/hostname",
    "sensor/hostname",
    "sensor_hostname",
    "host/name",
];

/// Lists of a lead that name machines.
const LEAD_LISTS: [&str; 4] = ["ThreatgraphIndicators", "Indicators", "Devices", "Hosts"];

/// An event: the inner object and the whole message.
#[derive(Clone, Copy)]
struct Event<'v> {
    inner: JsonCursor<'v>,
    root: JsonCursor<'v>,
}

impl<'v> Event<'v> {
    fn new(root: JsonCursor<'v>) -> Self {
        let wrappers = ["event", "data", "detection", "alert"].map(|name| root.get(name));
        let inner = wrappers.into_iter().find(|inner| inner.is_object()).unwrap_or(root);
        Self { inner, root }
    }

    /// The first path that leads to a text, in the inner object before the whole message. Otherwise
    /// the member that a workflow named after the path, such as `device.hostname` or `Host Name`.
    fn first_with_text(self, paths: &[&str]) -> JsonCursor<'v> {
        let cursors = [self.inner, self.root];
        let found = cursors.iter().map(|cursor| cursor.first_with_text(paths)).find(|found| found.exists());
        let composed =
            || cursors.iter().flat_map(|cursor| paths.iter().map(|path| find_composed_member(*cursor, path)));
        found.or_else(|| composed().find(|found| found.exists())).unwrap_or(JsonCursor::MISSING)
    }

    fn kind(self) -> String {
        self.first_with_text(&["metadata/eventType", "ExternalApiType", "fdr_event_type"]).normalized_text()
    }

    /// Whether the event type contains `kind`, or the product is `product`.
    fn is_kind_or_product(self, kind: &str, product: &str) -> bool {
        self.kind().contains(kind) || self.first_with_text(&["product"]).normalized_text() == product
    }
}

/// The member whose name has the letters of the path, with separators between them.
fn find_composed_member<'v>(cursor: JsonCursor<'v>, path: &str) -> JsonCursor<'v> {
    fn letters(name: &str) -> impl Iterator<Item = char> {
        name.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_lowercase())
    }
    let is_composed = |name: &str| name.contains([' ', '.', '-']);
    let mut members = cursor.members();
    let found = members
        .find(|(name, value)| is_composed(name) && value.text().is_some() && letters(name).eq(letters(path)));
    found.map_or(JsonCursor::MISSING, |(_, value)| value)
}

pub(super) fn parse_alerts(ParserInput { root, .. }: ParserInput<'_>) -> ParsedAlerts<'_> {
    let cursor = JsonCursor::from(root);
    let lists = ["resources", "detections", "alerts", "events"];
    let list = if root.is_array() { Some(cursor) } else { cursor.first_list(&lists) };
    Ok(match list.filter(|_| !Event::new(cursor).first_with_text(&ID_PATHS).exists()) {
        Some(list) => list.elements().filter_map(JsonCursor::value).flat_map(parse_message).collect(),
        None => parse_message(root),
    })
}

fn parse_message(root: &Value) -> Vec<ParsedAlert<'_>> {
    let event = Event::new(JsonCursor::from(root));
    let list = LEAD_LISTS.iter().map(|list| event.inner.get(list)).find(|list| list.exists());
    let leads = list
        .filter(|_| event.is_kind_or_product("automatedlead", "automated-lead"))
        .map(|list| parse_lead(root, event, list));
    leads.filter(|leads| !leads.is_empty()).unwrap_or_else(|| {
        let mut parsed = parse_event(root, event);
        parsed.hosts.push(ParsedHost::from(parse_host(event)));
        vec![parsed]
    })
}

fn parse_event<'v>(root: &'v Value, event: Event<'v>) -> ParsedAlert<'v> {
    let updated = event.first_with_text(&["updated_timestamp", "UpdatedTimestamp", "SignalUpdatedTimestamp"]);
    let event_key =
        key_parts(event.first_with_text(&ID_PATHS), [updated], "the event has no CompositeId or DetectionId")
            .or_else(|missing| {
                // Events without a detection are identified by their position in the stream.
                let [offset, customer, created] = ["offset", "customerIDString", "eventCreationTime"]
                    .map(|name| event.root.get("metadata").get(name));
                self::key_parts(offset, [customer, created], missing)
            });
    let mut parsed = ParsedAlert::new(root, event_key);
    let signal = &mut parsed.signal;
    signal.account =
        parse_account(event.first_with_text(&["CustomerIdString", "cid", "metadata/customerIDString"]));
    signal.severity = parse_severity(event.first_with_text(&[
        "SeverityName",
        "severity_display_name",
        "detections/severity",
    ]))
    .or_else(|| parse_severity(event.first_with_text(&["Severity", "max_severity", "detection/severity"])));
    let titles = ["DetectName", "display_name", "Name", "title", "detections/name", "detection/name"];
    signal.title = event.first_with_text(&titles).display_text().unwrap_or_default();
    signal.reason = event.first_with_text(&["Description", "DetectDescription"]).display_text();
    let time_members = [
        "context_timestamp",
        "SignalEndTimestamp",
        "timestamp",
        "created_timestamp",
        "metadata/eventCreationTime",
    ];
    signal.observed_at = event.first_with_text(&time_members).display_text();
    parsed.refusal = refusal(event);
    parsed
}

/// The alerts of a lead: one for each machine that its indicators name. The severity is the highest
/// of the lead's score and the machine's own indicators.
fn parse_lead<'v>(root: &'v Value, event: Event<'v>, indicators: JsonCursor<'v>) -> Vec<ParsedAlert<'v>> {
    let score = parse_severity(event.first_with_text(&["Score"]));
    let mut machines: BTreeMap<String, Option<Severity>> = BTreeMap::new();
    for indicator in indicators.elements() {
        let inner = Event { inner: indicator, root: indicator };
        let Some(name) = parse_hostname(inner, &HOSTNAME_PATHS).or_else(|| indicator.identifier()) else {
            continue;
        };
        let known = machines.entry(name).or_default();
        *known = (*known).max(parse_severity(inner.first_with_text(&["SeverityName", "Severity"])));
    }
    let of_machine = |(name, own): (String, Option<Severity>)| {
        let mut parsed = parse_event(root, event);
        if let Ok(parts) = &mut parsed.event_key {
            parsed.alert_key = Some(vec![parts[0].clone(), Value::from(name.clone())]);
            parts.push(Value::from(name.clone()));
        }
        parsed.signal.severity = parsed.signal.severity.max(score).max(own);
        parsed.hosts.push(HostIdentifiers { hostnames: vec![name], ..HostIdentifiers::default() }.into());
        parsed
    };
    machines.into_iter().map(of_machine).collect()
}

fn refusal(event: Event<'_>) -> Option<NotActionable> {
    let kind = event.kind();
    let states =
        ["status", "State", "resolution"].map(|name| event.first_with_text(&[name]).normalized_text());
    let over = ["closed", "resolved", "ignored", "falsepositive"];
    let is_audit = || {
        let marks = ["OperationName", "AuditKeyValues"];
        kind.is_empty()
            && !event.first_with_text(&ID_PATHS).exists()
            && marks.iter().any(|mark| event.inner.get(mark).exists())
    };
    if event
        .first_with_text(&["Description", "DetectDescription"])
        .display_text()
        .is_some_and(|text| text.starts_with(SAMPLE_DETECTION))
    {
        Some(NotActionable::Sample)
    } else if states.iter().any(|state| over.contains(&state.as_str())) {
        Some(NotActionable::Resolved)
    } else if NON_THREAT_EVENT_KINDS.iter().any(|other| kind.contains(other))
        || !kind.is_empty() && !THREAT_EVENT_KINDS.iter().any(|threat| kind.contains(threat))
        || is_audit()
    {
        Some(NotActionable::NotAThreat)
    } else {
        None
    }
}

/// The host. `AgentIdString`, `aid`, `SensorId` and `device_id` are Falcon's ids, not Sophos ids.
fn parse_host(event: Event<'_>) -> HostIdentifiers {
    if event.is_kind_or_product("mobile", "mobile") {
        return HostIdentifiers::default();
    }
    if event.is_kind_or_product("idpdetection", "idp") {
        // The login came from the source endpoint. The target and the domain controller are named
        // too, and an address may belong to any of them.
        let source =
            parse_hostname(event, &["SourceEndpointHostName", "Hostname", "ComputerName", "device/hostname"]);
        return HostIdentifiers { hostnames: source.into_iter().collect(), ..HostIdentifiers::default() };
    }
    HostIdentifiers {
        hostnames: parse_hostname(event, &HOSTNAME_PATHS).into_iter().collect(),
        mac_addresses: event
            .first_with_text(&["MACAddress", "mac", "device/mac_address", "devices/mac_address"])
            .identifiers(),
        ip_addresses: event
            .first_with_text(&["LocalIP", "device/local_ip", "devices/local_ip"])
            .identifiers(),
        ..HostIdentifiers::default()
    }
}

/// The host name, with the machine's domain if that is a DNS domain.
fn parse_hostname(event: Event<'_>, names: &[&str]) -> Option<String> {
    let domain = event.first_with_text(&["MachineDomain", "device/machine_domain", "devices/domain"]);
    with_domain(&event.first_with_text(names).identifier()?, dotted_domain(domain))
}

/// Parses a severity word, or a number from 1 to 5 or from 0 to 100.
pub(super) fn parse_severity(cursor: JsonCursor<'_>) -> Option<Severity> {
    cursor.severity().or_else(|| {
        let number = cursor.number()?;
        let steps = if number <= 5.0 { [2.0, 3.0, 4.0, 5.0] } else { [20.0, 40.0, 60.0, 80.0] };
        Some(severity_from_score(number, steps))
    })
}
