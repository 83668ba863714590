//! Microsoft Sentinel: incidents, alone, in a list, or within the body of an automation rule or a
//! Logic App trigger; and alerts, whose entities may be a text of JSON. Host entities are the only
//! source of hosts.

use serde_json::Value;

pub(super) use super::json_cursor::parse_severity;
use super::{
    NotActionable, ParsedAlerts, ParserInput,
    json_cursor::JsonCursor,
    parsed_alert::{ParsedAlert, ParsedHost, digest, key_parts, parse_account},
    qualified_names::{dns_domain, parse_hostname},
};
use crate::signal::HostIdentifiers;

/// The maximum nesting of an entity within earlier entities.
const MAX_DEPTH: usize = 6;

/// Members that identify an incident.
const INCIDENT_MEMBERS: [&str; 4] =
    ["incidentNumber", "relatedEntities", "additionalData/alertsCount", "incidentUrl"];

/// Members that identify an alert.
const ALERT_MEMBERS: [&str; 3] = ["systemAlertId", "providerAlertId", "vendorOriginalId"];

pub(super) fn parse_alerts(ParserInput { root, .. }: ParserInput<'_>) -> ParsedAlerts<'_> {
    let cursor = JsonCursor::from(root);
    let list = if root.is_array() { Some(cursor) } else { cursor.first_list(&["value"]) };
    Ok(match list {
        Some(list) => list.elements().filter_map(JsonCursor::value).map(parse_message).collect(),
        None => vec![parse_message(root)],
    })
}

fn parse_message(root: &Value) -> ParsedAlert<'_> {
    let cursor = JsonCursor::from(root);
    let object = cursor.get("object");
    let resource = if object.is_object() { object } else { cursor };
    let inner = resource.get("properties");
    let inner = if inner.is_object() { inner } else { resource };
    let kind = resource.first_with_text(&["type"]).text().unwrap_or_default().to_ascii_lowercase();
    let has = |members: &[&str]| members.iter().any(|member| inner.get(member).exists());
    let mut parsed = if has(&ALERT_MEMBERS) || resource.get("kind").normalized_text() == "securityalert" {
        parse_alert(root, resource, inner)
    } else if kind.ends_with("/incidents")
        || kind.is_empty() && !resource.get("kind").exists()
        || has(&INCIDENT_MEMBERS)
    {
        parse_incident(root, resource, inner)
    } else {
        // A comment, a task, a bookmark, an entity, or a rule.
        let mut parsed = ParsedAlert::new(root, Ok(vec![Value::from(digest(root))]));
        parsed.refusal = Some(NotActionable::NotAThreat);
        return parsed;
    };
    let tenant = ["tenantId", "workspaceInfo/TenantId", "object/tenantId"];
    parsed.signal.account =
        parse_account(cursor.first_with_text(&tenant)).or_else(|| parse_account(inner.get("tenantId")));

    let alerts = inner.get("alerts").elements().chain(cursor.get("alerts").elements());
    let alerts = alerts.flat_map(|alert| [alert, alert.get("properties")]);
    for holder in [inner, resource, cursor].into_iter().chain(alerts) {
        for list in ["relatedEntities", "entities"] {
            parsed.hosts.extend(parse_entities(holder.get(list)));
        }
    }
    parsed
}

fn parse_incident<'v>(
    root: &'v Value,
    resource: JsonCursor<'v>,
    incident: JsonCursor<'v>,
) -> ParsedAlert<'v> {
    let cursor = JsonCursor::from(root);
    let number = incident.get("incidentNumber");
    let modified = incident.first_with_text(&["lastModifiedTimeUtc", "lastModifiedTime"]);
    let workspaces = ["workspaceId", "workspaceInfo/WorkspaceName", "workspaceInfo/WorkspaceId"];
    let workspace = cursor.first_with_text(&workspaces).text();
    let mut event_key = key_parts(number, [modified], "the incident has no incidentNumber");
    // Incident numbers restart in each workspace; the resource id names the workspace.
    let id = resource.get("id").text().filter(|id| id.starts_with('/')).map(|id| id.to_ascii_lowercase());
    let of_workspace = workspace.clone().or_else(|| id.clone().filter(|_| !modified.exists()));
    if let (Ok(parts), Some(part)) = (&mut event_key, of_workspace) {
        parts.push(Value::from(part));
    }
    let mut parsed = ParsedAlert::new(root, event_key);
    let tenant = cursor.first_with_text(&["tenantId", "workspaceInfo/TenantId"]).text();
    parsed.alert_key = Some(match id {
        Some(id) => vec![Value::from(id)],
        None => vec![Value::from(number.text()), Value::from(workspace.or(tenant))],
    });
    let signal = &mut parsed.signal;
    signal.severity = incident.get("severity").severity();
    signal.title = incident.get("title").display_text().unwrap_or_default();
    signal.reason = incident.get("description").display_text();
    let time_members = ["lastActivityTimeUtc", "lastActivityTime", "firstActivityTimeUtc", "createdTimeUtc"];
    signal.observed_at = incident.first_with_text(&time_members).display_text();
    let judged = incident.get("classification").normalized_text();
    let is_over = incident.get("status").normalized_text() == "closed"
        || ["benignpositive", "falsepositive"].contains(&&*judged);
    parsed.refusal = is_over.then_some(NotActionable::Resolved);
    parsed
}

/// Parses an alert of the API, or a row of the table `SecurityAlert`.
fn parse_alert<'v>(root: &'v Value, resource: JsonCursor<'v>, alert: JsonCursor<'v>) -> ParsedAlert<'v> {
    let id = alert.first_with_text(&["systemAlertId", "providerAlertId", "vendorOriginalId"]);
    let id = if id.exists() { id } else { resource.first_with_text(&["name", "id"]) };
    let updated = alert.first_with_text(&["processingEndTime", "timeGenerated", "status"]);
    let mut parsed = ParsedAlert::new(root, key_parts(id, [updated], "the alert has no SystemAlertId"));
    let signal = &mut parsed.signal;
    signal.severity = alert.first_with_text(&["severity", "alertSeverity"]).severity();
    let titles = ["alertDisplayName", "displayName", "alertName", "title"];
    signal.title = alert.first_with_text(&titles).display_text().unwrap_or_default();
    signal.reason = alert.get("description").display_text();
    let time_members = ["endTimeUtc", "endTime", "startTimeUtc", "startTime", "timeGenerated"];
    signal.observed_at = alert.first_with_text(&time_members).display_text();
    let status = alert.first_with_text(&["status", "alertStatus"]).normalized_text();
    let is_over = ["resolved", "dismissed", "closed"].contains(&status.as_str());
    parsed.refusal = is_over.then_some(NotActionable::Resolved);
    parsed
}

/// The hosts among entities, given as a list or as a text of JSON.
fn parse_entities(list: JsonCursor<'_>) -> Vec<ParsedHost> {
    let text = list.value().and_then(Value::as_str);
    let inner = text.and_then(|text| serde_json::from_str::<Value>(text).ok());
    let list = inner.as_ref().map_or(list, JsonCursor::from);
    list.elements().filter_map(|entity| parse_host(resolve_reference(list, entity))).collect()
}

/// Resolves a reference to an entity that occurs earlier, possibly nested in another one.
fn resolve_reference<'v>(list: JsonCursor<'v>, entity: JsonCursor<'v>) -> JsonCursor<'v> {
    fn find<'v>(cursor: JsonCursor<'v>, id: &str, depth: usize) -> Option<JsonCursor<'v>> {
        if cursor.get("$id").text().as_deref() == Some(id) {
            return Some(cursor);
        }
        let depth = depth.checked_sub(1)?;
        match cursor.value()? {
            Value::Array(_) => cursor.elements().find_map(|item| find(item, id, depth)),
            _ => cursor.members().find_map(|(_, member)| find(member, id, depth)),
        }
    }
    let id = entity.get("$ref").text();
    id.and_then(|id| find(list, &id, MAX_DEPTH)).unwrap_or(entity)
}

fn parse_host(entity: JsonCursor<'_>) -> Option<ParsedHost> {
    if entity.first_with_text(&["kind", "type"]).normalized_text() != "host" {
        return None;
    }
    let inner = entity.get("properties");
    let host = if inner.is_object() { inner } else { entity };
    let names = ["fqdn", "fullyQualifiedDomainName", "additionalData/fqdn", "hostName"];
    let name = parse_hostname(host, &names, dns_domain(host.get("dnsDomain")));
    let netbios_names = if name.is_none() { host.get("netBiosName").identifiers() } else { Vec::new() };
    let identifiers = HostIdentifiers {
        hostnames: name.into_iter().collect(),
        netbios_names,
        ..HostIdentifiers::default()
    };
    let mut roles = host.get("roles").elements().map(JsonCursor::normalized_text).peekable();
    let is_related = roles.peek().is_some() && roles.all(|role| role == "contextual");
    let refusal = is_related.then_some(NotActionable::OnlyRelated);
    (!identifiers.is_empty()).then_some(ParsedHost { identifiers, refusal, ..ParsedHost::default() })
}
