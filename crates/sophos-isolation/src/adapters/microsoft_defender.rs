//! Microsoft Defender: alerts of Microsoft Graph (legacy and version 2) and of the Defender API,
//! incidents with their alerts, and streamed advanced hunting records.
//!
//! A change notification of a Graph subscription contains no alert and no host, so it is rejected.
//! A Logic App, or another caller that may read alerts, must fetch the alert and send that.

use serde_json::Value;

pub(super) use super::json_cursor::parse_severity;
use super::{
    NotActionable, ParseError, ParsedAlerts, ParserInput,
    json_cursor::{JsonCursor, identifiers},
    parsed_alert::{ParsedAlert, ParsedHost, digest, key_parts, parse_account},
    qualified_names::{dns_domain, parse_hostname},
};
use crate::signal::HostIdentifiers;

const CHANGE_NOTIFICATION_ERROR: &str = "missing alert: a Graph change notification contains neither an alert nor a host; let a Logic App \
    fetch the alert (GET /security/alerts_v2/{id}) and send that";

/// Members of an alert; it has at least one. `status` is not in the list, because actions and
/// investigations have one too.
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

/// Members that no alert has: those of machines, actions, indicators, files, vulnerabilities,
/// recommendations and incidents.
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

pub(super) fn parse_alerts(ParserInput { root, .. }: ParserInput<'_>) -> ParsedAlerts<'_> {
    let cursor = JsonCursor::from(root);
    let list = cursor.first_list(&["records", "value"]).unwrap_or(cursor);
    let mut parsed_alerts = Vec::new();
    let mut notifications = 0;
    for document in list.elements().filter_map(JsonCursor::value) {
        let cursor = JsonCursor::from(document);
        if cursor.get("subscriptionId").exists() && cursor.get("resource").exists() {
            let data = cursor.get("resourceData");
            match data.value().filter(|_| is_alert(data)) {
                Some(value) => parsed_alerts.push(parse_alert(value, data)),
                None => notifications += 1,
            }
            continue;
        }
        match cursor.first_list(&["alerts"]) {
            Some(alerts) => {
                let is_over = is_resolved(cursor);
                let alerts = alerts.elements().filter_map(JsonCursor::value);
                parsed_alerts.extend(alerts.map(|value| {
                    let mut parsed = self::parse_document(value);
                    parsed.refusal = parsed.refusal.or(is_over.then_some(NotActionable::Resolved));
                    parsed
                }));
            }
            None => parsed_alerts.push(self::parse_document(document)),
        }
    }
    if notifications > 0 && parsed_alerts.is_empty() {
        Err(ParseError(CHANGE_NOTIFICATION_ERROR.into()))
    } else {
        Ok(parsed_alerts)
    }
}

fn parse_document(document: &Value) -> ParsedAlert<'_> {
    let cursor = JsonCursor::from(document);
    let category = cursor.get("category").text().unwrap_or_default();
    match category.split_once('-') {
        Some((kind, table)) if kind.eq_ignore_ascii_case("AdvancedHunting") => {
            parse_hunting_row(document, cursor, table)
        }
        _ if is_alert(cursor) => parse_alert(document, cursor),
        _ => {
            let known = cursor.get("id").exists() || is_other_resource(cursor);
            let event_key =
                if known { Ok(vec![Value::from(digest(document))]) } else { Err("the alert has no id") };
            let mut parsed = ParsedAlert::new(document, event_key);
            parsed.refusal = Some(NotActionable::NotAThreat);
            parsed
        }
    }
}

fn is_alert(cursor: JsonCursor<'_>) -> bool {
    !is_other_resource(cursor) && ALERT_MEMBERS.iter().any(|member| cursor.get(member).exists())
}

fn is_other_resource(cursor: JsonCursor<'_>) -> bool {
    NON_ALERT_MEMBERS.iter().any(|member| cursor.get(member).exists())
}

/// Parses a row of an advanced hunting table.
fn parse_hunting_row<'v>(document: &'v Value, record: JsonCursor<'v>, table: &str) -> ParsedAlert<'v> {
    let row = record.get("properties");
    let more = ["Timestamp", "EntityType", "DeviceId", "EvidenceRole"].map(|name| row.get(name));
    let about_alert = ["AlertInfo", "AlertEvidence"].iter().any(|name| table.eq_ignore_ascii_case(name));
    let event_key = if about_alert {
        key_parts(row.get("AlertId"), more, "the record has no properties.AlertId")
    } else {
        Ok(vec![Value::from(digest(document))])
    };
    let mut parsed = ParsedAlert::new(document, event_key);
    let signal = &mut parsed.signal;
    signal.account = parse_account(record.get("tenantId"));
    signal.severity = row.get("Severity").severity();
    signal.title = row.get("Title").display_text().unwrap_or_default();
    signal.observed_at = row.first_with_text(&["Timestamp"]).display_text();
    if !about_alert {
        parsed.refusal = Some(NotActionable::NotAThreat);
    } else if row.get("EntityType").normalized_text() == "machine" {
        // Further fields of the device are a text of JSON.
        let more = row.get("AdditionalFields").value().and_then(Value::as_str);
        let more = more.and_then(|text| serde_json::from_str::<Value>(text).ok()).unwrap_or_default();
        let domain = dns_domain(JsonCursor::from(&more).get("DnsDomain"));
        let identifiers = HostIdentifiers {
            hostnames: parse_hostname(row, &["DeviceName"], domain).into_iter().collect(),
            ip_addresses: row.get("LocalIP").identifiers(),
            ..HostIdentifiers::default()
        };
        let related = row.get("EvidenceRole").normalized_text() == "related";
        parsed.hosts.push(ParsedHost {
            identifiers,
            refusal: related.then_some(NotActionable::OnlyRelated),
            ..ParsedHost::default()
        });
    }
    parsed
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
    let mut parsed = ParsedAlert::new(document, key_parts(id, [updated], "the alert has no id"));
    let signal = &mut parsed.signal;
    signal.account = parse_account(alert.first_with_text(&["tenantId", "azureTenantId", "aadTenantId"]));
    signal.severity = alert.get("severity").severity();
    signal.title = alert.get("title").display_text().unwrap_or_default();
    signal.reason = alert.get("description").display_text();
    let time_members = [
        "lastActivityDateTime",
        "eventDateTime",
        "lastEventTime",
        "lastActivity",
        "createdDateTime",
        "alertCreationTime",
        "creationTime",
    ];
    signal.observed_at = alert.first_with_text(&time_members).display_text();
    parsed.refusal = is_resolved(alert).then_some(NotActionable::Resolved);

    let evidence = alert.get("evidence").elements().filter(|evidence| is_device(*evidence));
    let devices = evidence.chain(alert.get("devices").elements()).map(parse_device);
    let states = alert.get("hostStates").elements().map(parse_host_state);
    let computer = parse_hostname(alert, &["computerDnsName"], None).into_iter().collect();
    let computer = HostIdentifiers { hostnames: computer, ..HostIdentifiers::default() };
    parsed.hosts = devices.chain(states).chain([ParsedHost::from(computer)]).collect();
    parsed.hosts.retain(|host| !host.identifiers.is_empty());
    parsed
}

/// Whether an alert or incident was closed, or judged no attack.
fn is_resolved(cursor: JsonCursor<'_>) -> bool {
    let status = cursor.get("status").normalized_text();
    let judged = cursor.first_with_text(&["classification", "feedback"]).normalized_text();
    ["resolved", "dismissed", "closed", "redirected"].contains(&status.as_str())
        || ["falsepositive", "benignpositive", "informationalexpectedactivity"].contains(&judged.as_str())
}

fn is_device(evidence: JsonCursor<'_>) -> bool {
    evidence
        .first_with_text(&["@odata.type", "at_sign_odata_type"])
        .normalized_text()
        .ends_with("deviceevidence")
}

/// Parses a device of a Graph alert. `mdeDeviceId` and `azureAdDeviceId` are not Sophos ids, and
/// `lastExternalIpAddress` belongs to a whole site.
fn parse_device(evidence: JsonCursor<'_>) -> ParsedHost {
    let names = ["deviceDnsName", "fullyQualifiedDomainName", "fqdn", "hostName"];
    let name = parse_hostname(evidence, &names, dns_domain(evidence.get("dnsDomain")));
    let [mut addresses, last] =
        ["ipInterfaces", "lastIpAddress"].map(|path| evidence.get(path).identifiers());
    addresses.extend(last);
    let mut roles = evidence.get("roles").elements().map(JsonCursor::normalized_text).peekable();
    let related = roles.peek().is_some() && roles.all(|role| role == "contextual");
    let identifiers = HostIdentifiers {
        netbios_names: netbios_names(evidence, name.as_deref()),
        hostnames: name.into_iter().collect(),
        ip_addresses: identifiers(addresses.iter().map(String::as_str)),
        ..HostIdentifiers::default()
    };
    ParsedHost {
        identifiers,
        refusal: related.then_some(NotActionable::OnlyRelated),
        ..ParsedHost::default()
    }
}

fn parse_host_state(state: JsonCursor<'_>) -> ParsedHost {
    let name = parse_hostname(state, &["fqdn"], None);
    let identifiers = HostIdentifiers {
        netbios_names: netbios_names(state, name.as_deref()),
        hostnames: name.into_iter().collect(),
        ip_addresses: state.get("privateIpAddress").identifiers(),
        ..HostIdentifiers::default()
    };
    identifiers.into()
}

/// The NetBIOS name, possibly truncated, if there is no other name.
fn netbios_names(host: JsonCursor<'_>, name: Option<&str>) -> Vec<String> {
    if name.is_none() { host.get("netBiosName").identifiers() } else { Vec::new() }
}
