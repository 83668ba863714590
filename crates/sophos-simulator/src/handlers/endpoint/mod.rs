//! The Endpoint API: endpoints, their groups, policies, settings and software.

mod actions;
mod adaptive_attack_protection;
mod blocked_addresses;
mod collected_files;
mod downloads;
mod exploit_mitigation;
mod group_members;
mod groups;
mod items;
mod migrations;
mod network_exclusions;
mod packages;
mod peripherals;
mod policies;
mod policy_catalogue;
mod policy_settings;
mod scanning_exclusions;
mod settings;
mod tamper_protection;
mod tls_decryption;
mod web_control;

use serde_json::{Value, json};

use crate::call::{Context, invalid_parameter};
use crate::data::tenant::Tenant;
use crate::hash::{parse_uuid, uuid_text};
use crate::response::ApiError;
use crate::routes::Route;

/// The operations, a table for each resource.
pub(crate) static FAMILIES: &[&[Route]] = &[
    actions::ROUTES,
    adaptive_attack_protection::ROUTES,
    blocked_addresses::ROUTES,
    collected_files::ROUTES,
    downloads::ROUTES,
    exploit_mitigation::ROUTES,
    group_members::ROUTES,
    groups::ROUTES,
    items::ROUTES,
    migrations::ROUTES,
    network_exclusions::ROUTES,
    packages::ROUTES,
    peripherals::ROUTES,
    policies::ROUTES,
    policy_settings::ROUTES,
    scanning_exclusions::ROUTES,
    settings::ROUTES,
    tamper_protection::ROUTES,
    tls_decryption::ROUTES,
    web_control::ROUTES,
];

/// The maximum number of endpoints in a request.
const MAX_ENDPOINTS: usize = 1_000;

/// The tenant and the index of the endpoint in the path.
fn find_endpoint<'a>(context: &Context<'a>) -> Result<(&'a Tenant, u64), ApiError> {
    let tenant = context.tenant()?;
    let index = context.central.find_endpoint(tenant, context.id()?);
    Ok((tenant, index.ok_or_else(|| ApiError::not_found("Endpoint not found"))?))
}

/// The UUIDs in a member of a body, without repetitions: 1 to [`MAX_ENDPOINTS`].
fn parse_ids(body: &Value, name: &str) -> Result<Vec<u128>, ApiError> {
    let ids = body[name].as_array().map(|ids| ids.iter().map(|id| parse_uuid(id.as_str()?)));
    let mut ids: Vec<u128> =
        ids.and_then(|ids| ids.collect::<Option<_>>()).ok_or_else(|| invalid_parameter(name))?;
    if !(1..=MAX_ENDPOINTS).contains(&ids.len()) {
        return Err(invalid_parameter(name));
    }
    let mut seen = std::collections::HashSet::new();
    ids.retain(|id| seen.insert(*id));
    Ok(ids)
}

/// The caller, as the author of a change.
fn actor(context: &Context<'_>) -> Result<Value, ApiError> {
    let who = context.credential()?;
    Ok(json!({
        "id": who.client_id, "type": "service", "name": "API credential",
        "accountType": who.kind.as_str(), "accountId": uuid_text(who.principal_id),
    }))
}

/// `{"id": …, "hostname": …}` of an endpoint.
fn reference(context: &Context<'_>, tenant: &Tenant, index: u64) -> Value {
    let identity = context.central.endpoint(tenant, index).endpoint.identity;
    json!({ "id": uuid_text(identity.id), "hostname": identity.hostname })
}
