//! CrowdStrike Falcon: events of its streams, records of its data replicator,
//! alerts of its API, and what users make of these in notification workflows.

use serde_json::Value;

use super::{
    NotActionable,
    draft::{Draft, Host, account, identity},
    place::{Place, scale},
};
use crate::signal::{HostFacts, Severity};

/// What a kind of event has in its name when it is about a threat. The others
/// are log-ins, sessions, firewall matches and the like.
const THREATS: [&str; 4] = ["detection", "incident", "alert", "ioa"];

/// What the sensor's own test detection says. The words are the vendor's; the
/// command line that sets it off is not, and proves nothing.
const SAMPLE: &str = "Non-malicious sample detection";

/// A message: what is inside, and what is around it.
#[derive(Clone, Copy)]
struct Event<'v> {
    inner: Place<'v>,
    root: Place<'v>,
}

impl<'v> Event<'v> {
    /// The first of these that has a text, inside before outside.
    fn first(self, paths: &[&str]) -> Place<'v> {
        let inner = self.inner.first(paths);
        if inner.is_there() { inner } else { self.root.first(paths) }
    }
}

pub(super) fn read(root: &Value) -> Vec<Draft<'_>> {
    let place = Place::from(root);
    let wrappers = ["event", "data", "detection", "alert"].map(|name| place.at(name));
    let inner = wrappers.into_iter().find(|inner| inner.is_object()).unwrap_or(place);
    let event = Event { inner, root: place };

    let id = event.first(&["CompositeId", "DetectionId", "DetectId", "IncidentId", "EventUUID"]);
    let updated = event.first(&["updated_timestamp", "UpdatedTimestamp"]);
    let identity = identity(id, [updated], "it has no CompositeId or DetectionId").or_else(|missing| {
        // What is not about a detection has only its place in the stream.
        let [offset, customer, created] =
            ["offset", "customerIDString", "eventCreationTime"].map(|name| place.at("metadata").at(name));
        self::identity(offset, [customer, created], missing)
    });
    let mut draft = Draft::new(root, identity);
    let signal = &mut draft.signal;
    signal.account = account(event.first(&["CustomerIdString", "cid", "metadata/customerIDString"]));
    signal.severity = severity(event.first(&["SeverityName", "severity_display_name"]))
        .or_else(|| severity(event.first(&["Severity", "max_severity"])));
    signal.title = event.first(&["DetectName", "display_name", "Name", "title"]).words().unwrap_or_default();
    signal.reason = event.first(&["Description", "DetectDescription"]).words();
    signal.observed_at =
        event.first(&["timestamp", "created_timestamp", "metadata/eventCreationTime"]).words();
    draft.refusal = refusal(event);
    draft.hosts.push(Host::from(host(event)));
    vec![draft]
}

fn refusal(event: Event<'_>) -> Option<NotActionable> {
    let kind = event.first(&["metadata/eventType", "ExternalApiType", "fdr_event_type"]).word();
    let status = event.first(&["status"]).word();
    if event.first(&["Description", "DetectDescription"]).words().is_some_and(|text| text.starts_with(SAMPLE))
    {
        Some(NotActionable::Sample)
    } else if ["closed", "falsepositive"].contains(&status.as_str()) {
        Some(NotActionable::Resolved)
    } else if !kind.is_empty() && !THREATS.iter().any(|threat| kind.contains(threat)) {
        Some(NotActionable::NotAThreat)
    } else {
        None
    }
}

/// The host. `AgentIdString`, `aid`, `SensorId` and `device_id` are Falcon's ids
/// of the machine, and none of ours.
fn host(event: Event<'_>) -> HostFacts {
    let names = [
        "Hostname",
        "ComputerName",
        "device/hostname",
        "device/computer_name",
        "host_name",
        "device_hostname",
    ];
    HostFacts {
        hostnames: event.first(&names).facts(),
        mac_addresses: event.first(&["MACAddress", "mac", "device/mac_address"]).facts(),
        ip_addresses: event.first(&["LocalIP", "device/local_ip"]).facts(),
        ..HostFacts::default()
    }
}

/// A word, or a number: from 1 to 5, or from 0 to 100.
pub(super) fn severity(place: Place<'_>) -> Option<Severity> {
    place.severity().or_else(|| {
        let number = place.number()?;
        let steps = if number <= 5.0 { [2.0, 3.0, 4.0, 5.0] } else { [20.0, 40.0, 60.0, 80.0] };
        Some(scale(number, steps))
    })
}
