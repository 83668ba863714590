//! Tamper Protection, globally and of an endpoint with its passwords.

use serde_json::{Value, json};

use super::{find_endpoint, reference};
use crate::call::Context;
use crate::engine::{AccountState, Collection, Member, member};
use crate::hash::{Rng, mix};
use crate::response::{ApiError, ApiResponse};
use crate::routes::Route;
use crate::time;

/// The passwords of endpoints, created at the first use.
static PASSWORDS: Collection =
    Collection { id_member: "_endpoint", ..Collection::new("tamper_protection", "endpoint") };

static GLOBAL: Collection = Collection {
    seed: |_| vec![json!({ "enabled": true })],
    ..Collection::singleton("global_tamper_protection", "Tamper Protection settings")
};

const MEMBERS: &[Member] = &[Member::boolean("enabled"), Member::boolean("regeneratePassword")];
const PATH: &str = "/endpoint/v1/endpoints/:endpointId/tamper-protection";

pub(crate) static ROUTES: &[Route] = &[
    Route::read("tamper_protection.get", PATH, get),
    Route::write("tamper_protection.update", "POST", PATH, update).with_success(201),
    Route::get("tamper_protection.global", "/endpoint/v1/settings/tamper-protection", &GLOBAL),
];

fn passwords<'s>(
    context: &Context<'_>,
    state: &'s mut AccountState,
    index: u64,
) -> Result<&'s mut Value, ApiError> {
    let tenant = context.tenant()?;
    let id = reference(context, tenant, index)["id"].clone();
    let records = state.records(context.central, &PASSWORDS);
    let at = match records.iter().position(|record| record["_endpoint"] == id) {
        Some(at) => at,
        None => {
            let password = Rng::new(mix(mix(tenant.key, 45), index)).hex(10);
            records.push(json!({ "_endpoint": id, "password": password, "previousPasswords": [] }));
            records.len() - 1
        }
    };
    Ok(&mut records[at])
}

fn body(context: &Context<'_>, index: u64, passwords: &Value) -> Result<Value, ApiError> {
    let enabled = context.central.endpoint(context.tenant()?, index).endpoint.tamper_protected;
    Ok(json!({
        "enabled": enabled,
        "password": passwords["password"],
        "previousPasswords": passwords["previousPasswords"],
    }))
}

fn get(context: &Context<'_>) -> Result<ApiResponse, ApiError> {
    let (_, index) = find_endpoint(context)?;
    let mut state = context.state();
    let passwords = passwords(context, &mut state, index)?;
    Ok(ApiResponse::json(200, &body(context, index, passwords)?))
}

fn update(context: &Context<'_>) -> Result<ApiResponse, ApiError> {
    let (tenant, index) = find_endpoint(context)?;
    let request = member::accept(MEMBERS, &context.call.json()?, false)?;
    context.name_object(&reference(context, tenant, index));
    if let Some(enabled) = request["enabled"].as_bool() {
        let key = (tenant.number, index);
        context.central.endpoint_states.change(key, |changes| changes.tamper_protected = Some(enabled));
    }
    let mut state = context.state();
    let passwords = passwords(context, &mut state, index)?;
    if request["regeneratePassword"] == true {
        let at = time::format_millis(context.central.clock.now_ms());
        let new = json!(context.central.new_rng().hex(10));
        let old = std::mem::replace(&mut passwords["password"], new);
        if let Some(previous) = passwords["previousPasswords"].as_array_mut() {
            previous.insert(0, json!({ "password": old, "invalidatedAt": at }));
        }
    }
    Ok(ApiResponse::json(context.success, &body(context, index, passwords)?))
}
