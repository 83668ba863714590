//! CrowdStrike Falcon: events of its streams, records of its data replicator,
//! alerts of its API, and what users make of these in notification workflows.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    NotActionable,
    draft::{Draft, Host, account, identity},
    names::{dotted_domain, with_domain},
    place::{Place, scale},
};
use crate::signal::{HostFacts, Severity};

/// What a kind of event has in its name when it is about a threat. The others
/// are log-ins, sessions, firewall matches and the like.
const THREATS: [&str; 5] = ["detection", "incident", "alert", "ioa", "automatedlead"];

/// What a kind of event has in its name when it is about no machine, or about
/// what users of the console did.
const NO_THREATS: [&str; 3] = ["audit", "cspm", "cloud"];

/// What the sensor's own test detection says. The words are the vendor's; the
/// command line that sets it off is not, and proves nothing.
const SAMPLE: &str = "Non-malicious sample detection";

const IDS: [&str; 9] = [
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

/// The names of the machine that something was detected on.
const NAMES: [&str; 10] = [
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

/// The lists of a lead that name machines.
const LEAD_LISTS: [&str; 4] = ["ThreatgraphIndicators", "Indicators", "Devices", "Hosts"];

/// A message: what is inside, and what is around it.
#[derive(Clone, Copy)]
struct Event<'v> {
    inner: Place<'v>,
    root: Place<'v>,
}

impl<'v> Event<'v> {
    fn new(root: Place<'v>) -> Self {
        let wrappers = ["event", "data", "detection", "alert"].map(|name| root.at(name));
        let inner = wrappers.into_iter().find(|inner| inner.is_object()).unwrap_or(root);
        Self { inner, root }
    }

    /// The first of these that has a text, inside before outside; and else the
    /// member that workflows name after the path, such as `device.hostname` or
    /// `Host Name`.
    fn first(self, paths: &[&str]) -> Place<'v> {
        let places = [self.inner, self.root];
        let found = places.iter().map(|place| place.first(paths)).find(|found| found.is_there());
        let composed =
            || places.iter().flat_map(|place| paths.iter().map(|path| composed_member(*place, path)));
        found.or_else(|| composed().find(|found| found.is_there())).unwrap_or(Place::NOWHERE)
    }

    fn kind(self) -> String {
        self.first(&["metadata/eventType", "ExternalApiType", "fdr_event_type"]).word()
    }

    /// Whether the kind of event, or the product of an alert, is this one.
    fn is_of(self, kind: &str, product: &str) -> bool {
        self.kind().contains(kind) || self.first(&["product"]).word() == product
    }
}

/// The member whose name has the letters of the path and marks between them.
fn composed_member<'v>(place: Place<'v>, path: &str) -> Place<'v> {
    fn letters(name: &str) -> impl Iterator<Item = char> {
        name.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_lowercase())
    }
    let is_composed = |name: &str| name.contains([' ', '.', '-']);
    let mut members = place.members();
    let found = members
        .find(|(name, value)| is_composed(name) && value.text().is_some() && letters(name).eq(letters(path)));
    found.map_or(Place::NOWHERE, |(_, value)| value)
}

pub(super) fn read(root: &Value) -> Vec<Draft<'_>> {
    let place = Place::from(root);
    let lists = ["resources", "detections", "alerts", "events"];
    let list = if root.is_array() { Some(place) } else { place.list(&lists) };
    match list.filter(|_| !Event::new(place).first(&IDS).is_there()) {
        Some(list) => list.items().filter_map(Place::value).flat_map(message).collect(),
        None => message(root),
    }
}

fn message(root: &Value) -> Vec<Draft<'_>> {
    let event = Event::new(Place::from(root));
    let list = LEAD_LISTS.iter().map(|list| event.inner.at(list)).find(|list| list.is_there());
    let leads =
        list.filter(|_| event.is_of("automatedlead", "automated-lead")).map(|list| lead(root, event, list));
    leads.filter(|leads| !leads.is_empty()).unwrap_or_else(|| {
        let mut draft = draft(root, event);
        draft.hosts.push(Host::from(host(event)));
        vec![draft]
    })
}

fn draft<'v>(root: &'v Value, event: Event<'v>) -> Draft<'v> {
    let updated = event.first(&["updated_timestamp", "UpdatedTimestamp", "SignalUpdatedTimestamp"]);
    let identity =
        identity(event.first(&IDS), [updated], "it has no CompositeId or DetectionId").or_else(|missing| {
            // What is not about a detection has only its place in the stream.
            let [offset, customer, created] = ["offset", "customerIDString", "eventCreationTime"]
                .map(|name| event.root.at("metadata").at(name));
            self::identity(offset, [customer, created], missing)
        });
    let mut draft = Draft::new(root, identity);
    let signal = &mut draft.signal;
    signal.account = account(event.first(&["CustomerIdString", "cid", "metadata/customerIDString"]));
    signal.severity =
        severity(event.first(&["SeverityName", "severity_display_name", "detections/severity"]))
            .or_else(|| severity(event.first(&["Severity", "max_severity", "detection/severity"])));
    let titles = ["DetectName", "display_name", "Name", "title", "detections/name", "detection/name"];
    signal.title = event.first(&titles).words().unwrap_or_default();
    signal.reason = event.first(&["Description", "DetectDescription"]).words();
    let seen = [
        "context_timestamp",
        "SignalEndTimestamp",
        "timestamp",
        "created_timestamp",
        "metadata/eventCreationTime",
    ];
    signal.observed_at = event.first(&seen).words();
    draft.refusal = refusal(event);
    draft
}

/// The drafts of a lead: one for each machine that its indicators name. A
/// machine is as much in question as the lead's score says, or its own severest
/// indicator.
fn lead<'v>(root: &'v Value, event: Event<'v>, indicators: Place<'v>) -> Vec<Draft<'v>> {
    let score = severity(event.first(&["Score"]));
    let mut machines: BTreeMap<String, Option<Severity>> = BTreeMap::new();
    for indicator in indicators.items() {
        let inner = Event { inner: indicator, root: indicator };
        let Some(name) = name(inner, &NAMES).or_else(|| indicator.fact()) else { continue };
        let known = machines.entry(name).or_default();
        *known = (*known).max(severity(inner.first(&["SeverityName", "Severity"])));
    }
    let of_machine = |(name, own): (String, Option<Severity>)| {
        let mut draft = draft(root, event);
        if let Ok(parts) = &mut draft.identity {
            draft.alert = Some(vec![parts[0].clone(), Value::from(name.clone())]);
            parts.push(Value::from(name.clone()));
        }
        draft.signal.severity = draft.signal.severity.max(score).max(own);
        draft.hosts.push(HostFacts { hostnames: vec![name], ..HostFacts::default() }.into());
        draft
    };
    machines.into_iter().map(of_machine).collect()
}

fn refusal(event: Event<'_>) -> Option<NotActionable> {
    let kind = event.kind();
    let states = ["status", "State", "resolution"].map(|name| event.first(&[name]).word());
    let over = ["closed", "resolved", "ignored", "falsepositive"];
    let is_audit = || {
        let marks = ["OperationName", "AuditKeyValues"];
        kind.is_empty()
            && !event.first(&IDS).is_there()
            && marks.iter().any(|mark| event.inner.at(mark).is_there())
    };
    if event.first(&["Description", "DetectDescription"]).words().is_some_and(|text| text.starts_with(SAMPLE))
    {
        Some(NotActionable::Sample)
    } else if states.iter().any(|state| over.contains(&state.as_str())) {
        Some(NotActionable::Resolved)
    } else if NO_THREATS.iter().any(|other| kind.contains(other))
        || !kind.is_empty() && !THREATS.iter().any(|threat| kind.contains(threat))
        || is_audit()
    {
        Some(NotActionable::NotAThreat)
    } else {
        None
    }
}

/// The host. `AgentIdString`, `aid`, `SensorId` and `device_id` are Falcon's ids
/// of the machine, and none of ours.
fn host(event: Event<'_>) -> HostFacts {
    if event.is_of("mobile", "mobile") {
        return HostFacts::default();
    }
    if event.is_of("idpdetection", "idp") {
        // A user's log-in came from the source endpoint. The target and the
        // domain controller that saw it are named too; addresses may be of either.
        let source = name(event, &["SourceEndpointHostName", "Hostname", "ComputerName", "device/hostname"]);
        return HostFacts { hostnames: source.into_iter().collect(), ..HostFacts::default() };
    }
    HostFacts {
        hostnames: name(event, &NAMES).into_iter().collect(),
        mac_addresses: event
            .first(&["MACAddress", "mac", "device/mac_address", "devices/mac_address"])
            .facts(),
        ip_addresses: event.first(&["LocalIP", "device/local_ip", "devices/local_ip"]).facts(),
        ..HostFacts::default()
    }
}

/// The name, with the domain of the machine where that is one of DNS.
fn name(event: Event<'_>, names: &[&str]) -> Option<String> {
    let domain = event.first(&["MachineDomain", "device/machine_domain", "devices/domain"]);
    with_domain(&event.first(names).fact()?, dotted_domain(domain))
}

/// A word, or a number: from 1 to 5, or from 0 to 100.
pub(super) fn severity(place: Place<'_>) -> Option<Severity> {
    place.severity().or_else(|| {
        let number = place.number()?;
        let steps = if number <= 5.0 { [2.0, 3.0, 4.0, 5.0] } else { [20.0, 40.0, 60.0, 80.0] };
        Some(scale(number, steps))
    })
}
