//! Microsoft Defender: alerts of Graph (legacy and version 2), alerts of the
//! Defender API, and records of advanced hunting as they are streamed.

use serde_json::Value;

use super::{
    NotActionable,
    draft::{Draft, Host, account, digest, identity},
    place::{Place, facts},
};
use crate::signal::HostFacts;

pub(super) fn read(root: &Value) -> Vec<Draft<'_>> {
    let place = Place::from(root);
    let alerts = place.list(&["records", "value", "alerts"]).unwrap_or(place);
    let documents = alerts.items().filter_map(Place::value);
    documents
        .map(|document| {
            let place = Place::from(document);
            let category = place.at("category").text().unwrap_or_default();
            match category.split_once('-') {
                Some((kind, table)) if kind.eq_ignore_ascii_case("AdvancedHunting") => {
                    hunting(document, place, table)
                }
                _ => alert(document, place),
            }
        })
        .collect()
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
        let facts = HostFacts {
            hostnames: row.at("DeviceName").facts(),
            ip_addresses: row.at("LocalIP").facts(),
            ..HostFacts::default()
        };
        let related = row.at("EvidenceRole").word() == "related";
        draft.hosts.push(Host { facts, refusal: related.then_some(NotActionable::OnlyRelated) });
    }
    draft
}

fn alert<'v>(document: &'v Value, alert: Place<'v>) -> Draft<'v> {
    let updated =
        alert.first(&["lastUpdateDateTime", "lastModifiedDateTime", "lastUpdateTime", "lastEventTime"]);
    let mut draft = Draft::new(document, identity(alert.at("id"), [updated], "the alert has no id"));
    let signal = &mut draft.signal;
    signal.account = account(alert.first(&["tenantId", "azureTenantId", "aadTenantId"]));
    signal.severity = alert.at("severity").severity();
    signal.title = alert.at("title").words().unwrap_or_default();
    signal.reason = alert.at("description").words();
    let seen =
        ["lastActivityDateTime", "eventDateTime", "lastEventTime", "createdDateTime", "alertCreationTime"];
    signal.observed_at = alert.first(&seen).words();

    let status = alert.at("status").word();
    let judged = alert.first(&["classification", "feedback"]).word();
    let is_over = ["resolved", "dismissed"].contains(&status.as_str())
        || ["falsepositive", "benignpositive", "informationalexpectedactivity"].contains(&judged.as_str());
    draft.refusal = is_over.then_some(NotActionable::Resolved);

    let devices = alert.at("evidence").items().filter(|evidence| is_device(*evidence)).map(device);
    let states = alert.at("hostStates").items().map(state);
    let computer = HostFacts { hostnames: alert.at("computerDnsName").facts(), ..HostFacts::default() };
    draft.hosts = devices.chain(states).chain([Host::from(computer)]).collect();
    draft.hosts.retain(|host| !host.facts.is_empty());
    draft
}

fn is_device(evidence: Place<'_>) -> bool {
    evidence.first(&["@odata.type", "at_sign_odata_type"]).word().ends_with("deviceevidence")
}

/// A device of Graph's alerts. `mdeDeviceId` and `azureAdDeviceId` are none of
/// our ids, and `lastExternalIpAddress` is that of a whole office.
fn device(evidence: Place<'_>) -> Host {
    let [mut names, more] = ["deviceDnsName", "hostName"].map(|path| evidence.at(path).facts());
    names.extend(more);
    let [mut addresses, last] = ["ipInterfaces", "lastIpAddress"].map(|path| evidence.at(path).facts());
    addresses.extend(last);
    let mut roles = evidence.at("roles").items().map(Place::word).peekable();
    let related = roles.peek().is_some() && roles.all(|role| role == "contextual");
    let facts = HostFacts {
        hostnames: facts(names.iter().map(String::as_str)),
        ip_addresses: facts(addresses.iter().map(String::as_str)),
        ..HostFacts::default()
    };
    Host { facts, refusal: related.then_some(NotActionable::OnlyRelated) }
}

fn state(state: Place<'_>) -> Host {
    let [mut names, more] = ["fqdn", "netBiosName"].map(|path| state.at(path).facts());
    names.extend(more);
    let facts = HostFacts {
        hostnames: facts(names.iter().map(String::as_str)),
        ip_addresses: state.at("privateIpAddress").facts(),
        ..HostFacts::default()
    };
    facts.into()
}
