//! Microsoft Defender: alerts of Graph (legacy and version 2), alerts of the
//! Defender API, incidents with their alerts, and records of advanced hunting as
//! they are streamed.
//!
//! A change notification of a Graph subscription only says that an alert exists:
//! it names no host and is refused as a whole. Have a Logic App, or another
//! caller that may read alerts, fetch the alert and send that.

use serde_json::Value;

use super::{
    NotActionable, Unreadable,
    draft::{Draft, Host, account, digest, identity},
    names::{dns_domain, name_of},
    place::{Place, facts},
};
use crate::signal::HostFacts;

const NOTIFICATION: &str = "a change notification of Graph carries no alert, and so no host: have a Logic App \
    fetch the alert (GET /security/alerts_v2/{id}) and send that instead";

/// Members of which an alert has at least one. A status alone is none of them:
/// actions and investigations have one too.
const ALERT: [&str; 11] = [
    "title",
    "severity",
    "category",
    "evidence",
    "hostStates",
    "detectionSource",
    "serviceSource",
    "alertId",
    "alertCreationTime",
    "lastEventTime",
    "threatFamilyName",
];

/// Members that an alert never has: of machines, actions, indicators, files,
/// vulnerabilities, recommendations and incidents.
const OTHERS: [&str; 21] = [
    "osPlatform",
    "healthStatus",
    "onboardingStatus",
    "exposureLevel",
    "requestor",
    "requestorComment",
    "indicatorValue",
    "indicatorType",
    "globalPrevalence",
    "determinationType",
    "cveId",
    "cvssV3",
    "cvssVector",
    "publicExploit",
    "exposedMachines",
    "exposedMachinesCount",
    "recommendationName",
    "recommendationCategory",
    "incidentName",
    "redirectIncidentId",
    "triggeringAlertId",
];

pub(super) fn read(root: &Value) -> Result<Vec<Draft<'_>>, Unreadable> {
    let place = Place::from(root);
    let list = place.list(&["records", "value"]).unwrap_or(place);
    let mut drafts = Vec::new();
    let mut notifications = 0;
    for document in list.items().filter_map(Place::value) {
        let place = Place::from(document);
        if place.at("subscriptionId").is_there() && place.at("resource").is_there() {
            let data = place.at("resourceData");
            match data.value().filter(|_| is_alert(data)) {
                Some(value) => drafts.push(alert(value, data)),
                None => notifications += 1,
            }
            continue;
        }
        match place.list(&["alerts"]) {
            Some(alerts) => {
                let is_over = is_over(place);
                let alerts = alerts.items().filter_map(Place::value);
                drafts.extend(alerts.map(|value| {
                    let mut draft = self::document(value);
                    draft.refusal = draft.refusal.or(is_over.then_some(NotActionable::Resolved));
                    draft
                }));
            }
            None => drafts.push(self::document(document)),
        }
    }
    if notifications > 0 && drafts.is_empty() { Err(Unreadable(NOTIFICATION.into())) } else { Ok(drafts) }
}

fn document(document: &Value) -> Draft<'_> {
    let place = Place::from(document);
    let category = place.at("category").text().unwrap_or_default();
    match category.split_once('-') {
        Some((kind, table)) if kind.eq_ignore_ascii_case("AdvancedHunting") => {
            hunting(document, place, table)
        }
        _ if is_alert(place) => alert(document, place),
        _ => {
            let known = place.at("id").is_there() || is_other(place);
            let identity =
                if known { Ok(vec![Value::from(digest(document))]) } else { Err("the alert has no id") };
            let mut draft = Draft::new(document, identity);
            draft.refusal = Some(NotActionable::NotAThreat);
            draft
        }
    }
}

fn is_alert(place: Place<'_>) -> bool {
    !is_other(place) && ALERT.iter().any(|member| place.at(member).is_there())
}

fn is_other(place: Place<'_>) -> bool {
    OTHERS.iter().any(|member| place.at(member).is_there())
}

/// A row of one of the tables of advanced hunting.
fn hunting<'v>(document: &'v Value, record: Place<'v>, table: &str) -> Draft<'v> {
    let row = record.at("properties");
    let more = ["Timestamp", "EntityType", "DeviceId", "EvidenceRole"].map(|name| row.at(name));
    let about_alert = ["AlertInfo", "AlertEvidence"].iter().any(|name| table.eq_ignore_ascii_case(name));
    let identity = if about_alert {
        identity(row.at("AlertId"), more, "the record has no properties.AlertId")
    } else {
        Ok(vec![Value::from(digest(document))])
    };
    let mut draft = Draft::new(document, identity);
    let signal = &mut draft.signal;
    signal.account = account(record.at("tenantId"));
    signal.severity = row.at("Severity").severity();
    signal.title = row.at("Title").words().unwrap_or_default();
    signal.observed_at = row.first(&["Timestamp"]).words();
    if !about_alert {
        draft.refusal = Some(NotActionable::NotAThreat);
    } else if row.at("EntityType").word() == "machine" {
        // More about the device is a text that is JSON itself.
        let more = row.at("AdditionalFields").value().and_then(Value::as_str);
        let more = more.and_then(|text| serde_json::from_str::<Value>(text).ok()).unwrap_or_default();
        let domain = dns_domain(Place::from(&more).at("DnsDomain"));
        let facts = HostFacts {
            hostnames: name_of(row, &["DeviceName"], domain).into_iter().collect(),
            ip_addresses: row.at("LocalIP").facts(),
            ..HostFacts::default()
        };
        let related = row.at("EvidenceRole").word() == "related";
        draft.hosts.push(Host {
            facts,
            refusal: related.then_some(NotActionable::OnlyRelated),
            ..Host::default()
        });
    }
    draft
}

fn alert<'v>(document: &'v Value, alert: Place<'v>) -> Draft<'v> {
    let updated = alert.first(&[
        "lastUpdateDateTime",
        "lastModifiedDateTime",
        "lastUpdateTime",
        "lastUpdatedTime",
        "lastEventTime",
    ]);
    let id = alert.first(&["id", "alertId"]);
    let mut draft = Draft::new(document, identity(id, [updated], "the alert has no id"));
    let signal = &mut draft.signal;
    signal.account = account(alert.first(&["tenantId", "azureTenantId", "aadTenantId"]));
    signal.severity = alert.at("severity").severity();
    signal.title = alert.at("title").words().unwrap_or_default();
    signal.reason = alert.at("description").words();
    let seen = [
        "lastActivityDateTime",
        "eventDateTime",
        "lastEventTime",
        "lastActivity",
        "createdDateTime",
        "alertCreationTime",
        "creationTime",
    ];
    signal.observed_at = alert.first(&seen).words();
    draft.refusal = is_over(alert).then_some(NotActionable::Resolved);

    let evidence = alert.at("evidence").items().filter(|evidence| is_device(*evidence));
    let devices = evidence.chain(alert.at("devices").items()).map(device);
    let states = alert.at("hostStates").items().map(state);
    let computer = name_of(alert, &["computerDnsName"], None).into_iter().collect();
    let computer = HostFacts { hostnames: computer, ..HostFacts::default() };
    draft.hosts = devices.chain(states).chain([Host::from(computer)]).collect();
    draft.hosts.retain(|host| !host.facts.is_empty());
    draft
}

/// Whether an alert or an incident was closed, or found to be no attack.
fn is_over(place: Place<'_>) -> bool {
    let status = place.at("status").word();
    let judged = place.first(&["classification", "feedback"]).word();
    ["resolved", "dismissed", "closed", "redirected"].contains(&status.as_str())
        || ["falsepositive", "benignpositive", "informationalexpectedactivity"].contains(&judged.as_str())
}

fn is_device(evidence: Place<'_>) -> bool {
    evidence.first(&["@odata.type", "at_sign_odata_type"]).word().ends_with("deviceevidence")
}

/// A device of Graph's alerts. `mdeDeviceId` and `azureAdDeviceId` are none of
/// our ids, and `lastExternalIpAddress` is that of a whole office.
fn device(evidence: Place<'_>) -> Host {
    let names = ["deviceDnsName", "fullyQualifiedDomainName", "fqdn", "hostName"];
    let name = name_of(evidence, &names, dns_domain(evidence.at("dnsDomain")));
    let [mut addresses, last] = ["ipInterfaces", "lastIpAddress"].map(|path| evidence.at(path).facts());
    addresses.extend(last);
    let mut roles = evidence.at("roles").items().map(Place::word).peekable();
    let related = roles.peek().is_some() && roles.all(|role| role == "contextual");
    let facts = HostFacts {
        netbios_names: netbios(evidence, name.as_deref()),
        hostnames: name.into_iter().collect(),
        ip_addresses: facts(addresses.iter().map(String::as_str)),
        ..HostFacts::default()
    };
    Host { facts, refusal: related.then_some(NotActionable::OnlyRelated), ..Host::default() }
}

fn state(state: Place<'_>) -> Host {
    let name = name_of(state, &["fqdn"], None);
    let facts = HostFacts {
        netbios_names: netbios(state, name.as_deref()),
        hostnames: name.into_iter().collect(),
        ip_addresses: state.at("privateIpAddress").facts(),
        ..HostFacts::default()
    };
    facts.into()
}

/// The name that may be cut, where there is no other.
fn netbios(host: Place<'_>, name: Option<&str>) -> Vec<String> {
    if name.is_none() { host.at("netBiosName").facts() } else { Vec::new() }
}
