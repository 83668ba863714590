//! Microsoft Sentinel: an incident, alone or as an automation rule hands it on.
//! It knows a host only where Host entities were attached to it.

use serde_json::Value;

use super::{
    NotActionable,
    draft::{Draft, Host, account, identity},
    place::{Place, facts},
};
use crate::signal::HostFacts;

pub(super) fn read(root: &Value) -> Vec<Draft<'_>> {
    let place = Place::from(root);
    let object = place.at("object");
    let resource = if object.is_object() { object } else { place };
    let inner = resource.at("properties");
    let incident = if inner.is_object() { inner } else { resource };

    let number = incident.at("incidentNumber");
    let modified = incident.first(&["lastModifiedTimeUtc", "lastModifiedTime"]);
    let mut draft = Draft::new(root, identity(number, [modified], "the incident has no incidentNumber"));
    let signal = &mut draft.signal;
    signal.account = account(place.first(&["tenantId", "workspaceInfo/TenantId"]));
    signal.severity = incident.at("severity").severity();
    signal.title = incident.at("title").words().unwrap_or_default();
    signal.reason = incident.at("description").words();
    signal.observed_at = incident.first(&["lastActivityTimeUtc", "createdTimeUtc"]).words();
    draft.refusal = (incident.at("status").word() == "closed").then_some(NotActionable::Resolved);

    for holder in [incident, resource, place] {
        for list in ["relatedEntities", "entities"] {
            draft.hosts.extend(holder.at(list).items().filter_map(host));
        }
    }
    vec![draft]
}

fn host(entity: Place<'_>) -> Option<Host> {
    if entity.first(&["kind", "type"]).word() != "host" {
        return None;
    }
    let inner = entity.at("properties");
    let host = if inner.is_object() { inner } else { entity };
    let mut names = Vec::new();
    if let Some(name) = host.at("hostName").fact() {
        if let Some(domain) = host.at("dnsDomain").fact() {
            let domain = domain.trim_matches('.').to_owned();
            let is_full = name.to_ascii_lowercase().ends_with(&format!(".{}", domain.to_ascii_lowercase()));
            if !is_full && !domain.is_empty() {
                names.push(format!("{name}.{domain}"));
            }
        }
        names.push(name);
    } else {
        // Cut at 15 characters, so only better than nothing.
        names.extend(host.at("netBiosName").fact());
    }
    let facts = HostFacts { hostnames: facts(names.iter().map(String::as_str)), ..HostFacts::default() };
    (!facts.is_empty()).then(|| facts.into())
}
