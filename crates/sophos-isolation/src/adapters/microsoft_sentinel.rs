//! Microsoft Sentinel: incidents, alone, in a list, or as an automation rule or
//! the trigger of a Logic App hands them on; and alerts, whose entities may be a
//! text that is JSON itself. Either knows a host only by its Host entities.

use serde_json::Value;

use super::{
    NotActionable,
    draft::{Draft, Host, account, digest, identity},
    names::{dns_domain, name_of},
    place::Place,
};
use crate::signal::HostFacts;

/// How deep an entity may lie in others that came before it.
const MAX_DEPTH: usize = 6;

/// Members by which an incident is one.
const INCIDENT: [&str; 4] =
    ["incidentNumber", "relatedEntities", "additionalData/alertsCount", "incidentUrl"];

/// Members by which an alert is one.
const ALERT: [&str; 3] = ["systemAlertId", "providerAlertId", "vendorOriginalId"];

pub(super) fn read(root: &Value) -> Vec<Draft<'_>> {
    let place = Place::from(root);
    let list = if root.is_array() { Some(place) } else { place.list(&["value"]) };
    match list {
        Some(list) => list.items().filter_map(Place::value).map(message).collect(),
        None => vec![message(root)],
    }
}

fn message(root: &Value) -> Draft<'_> {
    let place = Place::from(root);
    let object = place.at("object");
    let resource = if object.is_object() { object } else { place };
    let inner = resource.at("properties");
    let inner = if inner.is_object() { inner } else { resource };
    let kind = resource.first(&["type"]).text().unwrap_or_default().to_ascii_lowercase();
    let has = |members: &[&str]| members.iter().any(|member| inner.at(member).is_there());
    let mut draft = if has(&ALERT) || resource.at("kind").word() == "securityalert" {
        alert(root, resource, inner)
    } else if kind.ends_with("/incidents")
        || kind.is_empty() && !resource.at("kind").is_there()
        || has(&INCIDENT)
    {
        incident(root, resource, inner)
    } else {
        // A comment, a task, a bookmark, an entity, a rule.
        let mut draft = Draft::new(root, Ok(vec![Value::from(digest(root))]));
        draft.refusal = Some(NotActionable::NotAThreat);
        return draft;
    };
    let tenant = ["tenantId", "workspaceInfo/TenantId", "object/tenantId"];
    draft.signal.account = account(place.first(&tenant)).or_else(|| account(inner.at("tenantId")));

    let alerts = inner.at("alerts").items().chain(place.at("alerts").items());
    let alerts = alerts.flat_map(|alert| [alert, alert.at("properties")]);
    for holder in [inner, resource, place].into_iter().chain(alerts) {
        for list in ["relatedEntities", "entities"] {
            draft.hosts.extend(entities(holder.at(list)));
        }
    }
    draft
}

fn incident<'v>(root: &'v Value, resource: Place<'v>, incident: Place<'v>) -> Draft<'v> {
    let place = Place::from(root);
    let number = incident.at("incidentNumber");
    let modified = incident.first(&["lastModifiedTimeUtc", "lastModifiedTime"]);
    let workspaces = ["workspaceId", "workspaceInfo/WorkspaceName", "workspaceInfo/WorkspaceId"];
    let workspace = place.first(&workspaces).text();
    let mut identity = identity(number, [modified], "the incident has no incidentNumber");
    // Numbers count from one in each workspace; the id of the resource names it.
    let id = resource.at("id").text().filter(|id| id.starts_with('/')).map(|id| id.to_ascii_lowercase());
    let of_workspace = workspace.clone().or_else(|| id.clone().filter(|_| !modified.is_there()));
    if let (Ok(parts), Some(part)) = (&mut identity, of_workspace) {
        parts.push(Value::from(part));
    }
    let mut draft = Draft::new(root, identity);
    let tenant = place.first(&["tenantId", "workspaceInfo/TenantId"]).text();
    draft.alert = Some(match id {
        Some(id) => vec![Value::from(id)],
        None => vec![Value::from(number.text()), Value::from(workspace.or(tenant))],
    });
    let signal = &mut draft.signal;
    signal.severity = incident.at("severity").severity();
    signal.title = incident.at("title").words().unwrap_or_default();
    signal.reason = incident.at("description").words();
    let seen = ["lastActivityTimeUtc", "lastActivityTime", "firstActivityTimeUtc", "createdTimeUtc"];
    signal.observed_at = incident.first(&seen).words();
    let judged = incident.at("classification").word();
    let is_over =
        incident.at("status").word() == "closed" || ["benignpositive", "falsepositive"].contains(&&*judged);
    draft.refusal = is_over.then_some(NotActionable::Resolved);
    draft
}

/// An alert, as the API has it or as a row of the table `SecurityAlert`.
fn alert<'v>(root: &'v Value, resource: Place<'v>, alert: Place<'v>) -> Draft<'v> {
    let id = alert.first(&["systemAlertId", "providerAlertId", "vendorOriginalId"]);
    let id = if id.is_there() { id } else { resource.first(&["name", "id"]) };
    let updated = alert.first(&["processingEndTime", "timeGenerated", "status"]);
    let mut draft = Draft::new(root, identity(id, [updated], "the alert has no SystemAlertId"));
    let signal = &mut draft.signal;
    signal.severity = alert.first(&["severity", "alertSeverity"]).severity();
    let titles = ["alertDisplayName", "displayName", "alertName", "title"];
    signal.title = alert.first(&titles).words().unwrap_or_default();
    signal.reason = alert.at("description").words();
    let seen = ["endTimeUtc", "endTime", "startTimeUtc", "startTime", "timeGenerated"];
    signal.observed_at = alert.first(&seen).words();
    let status = alert.first(&["status", "alertStatus"]).word();
    let is_over = ["resolved", "dismissed", "closed"].contains(&status.as_str());
    draft.refusal = is_over.then_some(NotActionable::Resolved);
    draft
}

/// The hosts among entities: of a list, or of a text that is one.
fn entities(list: Place<'_>) -> Vec<Host> {
    let text = list.value().and_then(Value::as_str);
    let inner = text.and_then(|text| serde_json::from_str::<Value>(text).ok());
    let list = inner.as_ref().map_or(list, Place::from);
    list.items().filter_map(|entity| host(target(list, entity))).collect()
}

/// The entity that a reference means: it was written where it came first, maybe
/// within another entity.
fn target<'v>(list: Place<'v>, entity: Place<'v>) -> Place<'v> {
    fn find<'v>(place: Place<'v>, id: &str, depth: usize) -> Option<Place<'v>> {
        if place.at("$id").text().as_deref() == Some(id) {
            return Some(place);
        }
        let depth = depth.checked_sub(1)?;
        match place.value()? {
            Value::Array(_) => place.items().find_map(|item| find(item, id, depth)),
            _ => place.members().find_map(|(_, member)| find(member, id, depth)),
        }
    }
    let id = entity.at("$ref").text();
    id.and_then(|id| find(list, &id, MAX_DEPTH)).unwrap_or(entity)
}

fn host(entity: Place<'_>) -> Option<Host> {
    if entity.first(&["kind", "type"]).word() != "host" {
        return None;
    }
    let inner = entity.at("properties");
    let host = if inner.is_object() { inner } else { entity };
    let names = ["fqdn", "fullyQualifiedDomainName", "additionalData/fqdn", "hostName"];
    let name = name_of(host, &names, dns_domain(host.at("dnsDomain")));
    let netbios_names = if name.is_none() { host.at("netBiosName").facts() } else { Vec::new() };
    let facts = HostFacts { hostnames: name.into_iter().collect(), netbios_names, ..HostFacts::default() };
    let mut roles = host.at("roles").items().map(Place::word).peekable();
    let is_related = roles.peek().is_some() && roles.all(|role| role == "contextual");
    let refusal = is_related.then_some(NotActionable::OnlyRelated);
    (!facts.is_empty()).then_some(Host { facts, refusal, ..Host::default() })
}
