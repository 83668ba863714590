//! Microsoft Defender: alerts of Graph (legacy and version 2), alerts of the
//! Defender API, incidents with their alerts, and records of advanced hunting as
//! they are streamed.
//!
//! A change notification of a Graph subscription only says that an alert exists:
//! it names no host and is refused as a whole. Have a Logic App, or another
//! caller that may read alerts, fetch the alert and send that.

use serde_json::Value;

use super::{
    NotActionable, ParseError,
    json_cursor::{JsonCursor, identifiers},
    parsed_alert::{ParsedAlert, ParsedHost, digest, key_parts, parse_account},
    qualified_names::{dns_domain, parse_hostname},
};
use crate::signal::HostIdentifiers;

const CHANGE_NOTIFICATION_ERROR: &str = "a change notification of Graph carries no alert, and so no host: have a Logic App \
    fetch the alert (GET /security/alerts_v2/{id}) and send that instead";

/// Members of which an alert has at least one. A status alone is none of them:
/// actions and investigations have one too.
const ALERT_MEMBERS: [&str; 11] = [
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
const NON_ALERT_MEMBERS: [&str; 21] = [
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

pub(super) fn parse_alerts(root: &Value) -> Result<Vec<ParsedAlert<'_>>, ParseError> {
    let place = JsonCursor::from(root);
    let list = place.first_list(&["records", "value"]).unwrap_or(place);
    let mut drafts = Vec::new();
    let mut notifications = 0;
    for document in list.elements().filter_map(JsonCursor::value) {
        let place = JsonCursor::from(document);
        if place.get("subscriptionId").exists() && place.get("resource").exists() {
            let data = place.get("resourceData");
            match data.value().filter(|_| is_alert(data)) {
                Some(value) => drafts.push(parse_alert(value, data)),
                None => notifications += 1,
            }
            continue;
        }
        match place.first_list(&["alerts"]) {
            Some(alerts) => {
                let is_over = is_resolved(place);
                let alerts = alerts.elements().filter_map(JsonCursor::value);
                drafts.extend(alerts.map(|value| {
                    let mut draft = self::parse_document(value);
                    draft.refusal = draft.refusal.or(is_over.then_some(NotActionable::Resolved));
                    draft
                }));
            }
            None => drafts.push(self::parse_document(document)),
        }
    }
    if notifications > 0 && drafts.is_empty() {
        Err(ParseError(CHANGE_NOTIFICATION_ERROR.into()))
    } else {
        Ok(drafts)
    }
}

fn parse_document(document: &Value) -> ParsedAlert<'_> {
    let place = JsonCursor::from(document);
    let category = place.get("category").text().unwrap_or_default();
    match category.split_once('-') {
        Some((kind, table)) if kind.eq_ignore_ascii_case("AdvancedHunting") => {
            parse_hunting_row(document, place, table)
        }
        _ if is_alert(place) => parse_alert(document, place),
        _ => {
            let known = place.get("id").exists() || is_other_resource(place);
            let identity =
                if known { Ok(vec![Value::from(digest(document))]) } else { Err("the alert has no id") };
            let mut draft = ParsedAlert::new(document, identity);
            draft.refusal = Some(NotActionable::NotAThreat);
            draft
        }
    }
}

fn is_alert(place: JsonCursor<'_>) -> bool {
    !is_other_resource(place) && ALERT_MEMBERS.iter().any(|member| place.get(member).exists())
}

fn is_other_resource(place: JsonCursor<'_>) -> bool {
    NON_ALERT_MEMBERS.iter().any(|member| place.get(member).exists())
}

/// A row of one of the tables of advanced hunting.
fn parse_hunting_row<'v>(document: &'v Value, record: JsonCursor<'v>, table: &str) -> ParsedAlert<'v> {
    let row = record.get("properties");
    let more = ["Timestamp", "EntityType", "DeviceId", "EvidenceRole"].map(|name| row.get(name));
    let about_alert = ["AlertInfo", "AlertEvidence"].iter().any(|name| table.eq_ignore_ascii_case(name));
    let identity = if about_alert {
        key_parts(row.get("AlertId"), more, "the record has no properties.AlertId")
    } else {
        Ok(vec![Value::from(digest(document))])
    };
    let mut draft = ParsedAlert::new(document, identity);
    let signal = &mut draft.signal;
    signal.account = parse_account(record.get("tenantId"));
    signal.severity = row.get("Severity").severity();
    signal.title = row.get("Title").display_text().unwrap_or_default();
    signal.observed_at = row.first_with_text(&["Timestamp"]).display_text();
    if !about_alert {
        draft.refusal = Some(NotActionable::NotAThreat);
    } else if row.get("EntityType").normalized_text() == "machine" {
        // More about the device is a text that is JSON itself.
        let more = row.get("AdditionalFields").value().and_then(Value::as_str);
        let more = more.and_then(|text| serde_json::from_str::<Value>(text).ok()).unwrap_or_default();
        let domain = dns_domain(JsonCursor::from(&more).get("DnsDomain"));
        let facts = HostIdentifiers {
            hostnames: parse_hostname(row, &["DeviceName"], domain).into_iter().collect(),
            ip_addresses: row.get("LocalIP").identifiers(),
            ..HostIdentifiers::default()
        };
        let related = row.get("EvidenceRole").normalized_text() == "related";
        draft.hosts.push(ParsedHost {
            identifiers: facts,
            refusal: related.then_some(NotActionable::OnlyRelated),
            ..ParsedHost::default()
        });
    }
    draft
}

fn parse_alert<'v>(document: &'v Value, alert: JsonCursor<'v>) -> ParsedAlert<'v> {
    let updated = alert.first_with_text(&[
        "lastUpdateDateTime",
        "lastModifiedDateTime",
        "lastUpdateTime",
        "lastUpdatedTime",
        "lastEventTime",
    ]);
    let id = alert.first_with_text(&["id", "alertId"]);
    let mut draft = ParsedAlert::new(document, key_parts(id, [updated], "the alert has no id"));
    let signal = &mut draft.signal;
    signal.account = parse_account(alert.first_with_text(&["tenantId", "azureTenantId", "aadTenantId"]));
    signal.severity = alert.get("severity").severity();
    signal.title = alert.get("title").display_text().unwrap_or_default();
    signal.reason = alert.get("description").display_text();
    let seen = [
        "lastActivityDateTime",
        "eventDateTime",
        "lastEventTime",
        "lastActivity",
        "createdDateTime",
        "alertCreationTime",
        "creationTime",
    ];
    signal.observed_at = alert.first_with_text(&seen).display_text();
    draft.refusal = is_resolved(alert).then_some(NotActionable::Resolved);

    let evidence = alert.get("evidence").elements().filter(|evidence| is_device(*evidence));
    let devices = evidence.chain(alert.get("devices").elements()).map(parse_device);
    let states = alert.get("hostStates").elements().map(parse_host_state);
    let computer = parse_hostname(alert, &["computerDnsName"], None).into_iter().collect();
    let computer = HostIdentifiers { hostnames: computer, ..HostIdentifiers::default() };
    draft.hosts = devices.chain(states).chain([ParsedHost::from(computer)]).collect();
    draft.hosts.retain(|host| !host.identifiers.is_empty());
    draft
}

/// Whether an alert or an incident was closed, or found to be no attack.
fn is_resolved(place: JsonCursor<'_>) -> bool {
    let status = place.get("status").normalized_text();
    let judged = place.first_with_text(&["classification", "feedback"]).normalized_text();
    ["resolved", "dismissed", "closed", "redirected"].contains(&status.as_str())
        || ["falsepositive", "benignpositive", "informationalexpectedactivity"].contains(&judged.as_str())
}

fn is_device(evidence: JsonCursor<'_>) -> bool {
    evidence
        .first_with_text(&["@odata.type", "at_sign_odata_type"])
        .normalized_text()
        .ends_with("deviceevidence")
}

/// A device of Graph's alerts. `mdeDeviceId` and `azureAdDeviceId` are none of
/// our ids, and `lastExternalIpAddress` is that of a whole office.
fn parse_device(evidence: JsonCursor<'_>) -> ParsedHost {
    let names = ["deviceDnsName", "fullyQualifiedDomainName", "fqdn", "hostName"];
    let name = parse_hostname(evidence, &names, dns_domain(evidence.get("dnsDomain")));
    let [mut addresses, last] =
        ["ipInterfaces", "lastIpAddress"].map(|path| evidence.get(path).identifiers());
    addresses.extend(last);
    let mut roles = evidence.get("roles").elements().map(JsonCursor::normalized_text).peekable();
    let related = roles.peek().is_some() && roles.all(|role| role == "contextual");
    let facts = HostIdentifiers {
        netbios_names: netbios_names(evidence, name.as_deref()),
        hostnames: name.into_iter().collect(),
        ip_addresses: identifiers(addresses.iter().map(String::as_str)),
        ..HostIdentifiers::default()
    };
    ParsedHost {
        identifiers: facts,
        refusal: related.then_some(NotActionable::OnlyRelated),
        ..ParsedHost::default()
    }
}

fn parse_host_state(state: JsonCursor<'_>) -> ParsedHost {
    let name = parse_hostname(state, &["fqdn"], None);
    let facts = HostIdentifiers {
        netbios_names: netbios_names(state, name.as_deref()),
        hostnames: name.into_iter().collect(),
        ip_addresses: state.get("privateIpAddress").identifiers(),
        ..HostIdentifiers::default()
    };
    facts.into()
}

/// The name that may be cut, where there is no other.
fn netbios_names(host: JsonCursor<'_>, name: Option<&str>) -> Vec<String> {
    if name.is_none() { host.get("netBiosName").identifiers() } else { Vec::new() }
}
