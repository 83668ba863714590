//! Adaptive Attack Protection of an endpoint.

use serde_json::{Value, json};

use super::{find_endpoint, reference};
use crate::call::{Context, invalid_parameter};
use crate::engine::{AccountState, Collection, Member, member};
use crate::response::{ApiError, ApiResponse};
use crate::routes::Route;
use crate::time;

/// The time until an online endpoint reports a change, in milliseconds.
const REPORT_DELAY_MS: i64 = 60_000;

static SETTINGS: Collection =
    Collection { id_member: "_endpoint", ..Collection::new("adaptive_attack_protection", "endpoint") };

const MEMBERS: &[Member] =
    &[Member::boolean("enabled").required(), Member::text_up_to("expiresAfter", 20)];
const PATH: &str = "/endpoint/v1/endpoints/:endpointId/adaptive-attack-protection";

pub(crate) static ROUTES: &[Route] = &[
    Route::read("adaptive_attack_protection.get", PATH, get),
    Route::write("adaptive_attack_protection.update", "POST", PATH, update),
];

/// The record of an endpoint, up to date.
fn settings<'s>(context: &Context<'_>, state: &'s mut AccountState) -> Result<&'s mut Value, ApiError> {
    let (tenant, index) = find_endpoint(context)?;
    let endpoint = reference(context, tenant, index);
    let records = state.records(context.central, &SETTINGS);
    let at = match records.iter().position(|record| record["_endpoint"] == endpoint["id"]) {
        Some(at) => at,
        None => {
            records.push(json!({
                "_endpoint": endpoint["id"],
                "desiredState": { "enabled": false, "expiresAfter": "P7D", "source": "system" },
                "actualState": { "enabled": false, "lastUpdatedAt": time::format_millis(tenant.start_ms) },
            }));
            records.len() - 1
        }
    };
    let now = context.central.clock.now_ms();
    bring_up_to_date(&mut records[at], now, context.central.endpoint(tenant, index).online);
    Ok(&mut records[at])
}

fn bring_up_to_date(record: &mut Value, now: i64, is_online: bool) {
    if let Some(due) = record["_dueMs"].as_i64().filter(|due| is_online && now >= *due) {
        record["_dueMs"] = Value::Null;
        let desired = &record["desiredState"];
        let mut actual =
            json!({ "enabled": desired["enabled"], "lastUpdatedAt": time::format_millis(due) });
        let expires = time::parse_or_duration(desired["expiresAfter"].as_str().unwrap_or_default(), due);
        if let Some(at) = expires.filter(|_| desired["enabled"] == true) {
            actual["expiresAt"] = json!(time::format_millis(at));
        }
        record["actualState"] = actual;
    }
    let expires = record["actualState"]["expiresAt"].as_str().and_then(time::parse);
    if let Some(at) = expires.filter(|at| now >= *at) {
        record["actualState"] = json!({ "enabled": false, "lastUpdatedAt": time::format_millis(at) });
    }
}

fn body(record: &Value) -> Value {
    json!({ "desiredState": record["desiredState"], "actualState": record["actualState"] })
}

fn get(context: &Context<'_>) -> Result<ApiResponse, ApiError> {
    let mut state = context.state();
    Ok(ApiResponse::json(200, &body(settings(context, &mut state)?)))
}

fn update(context: &Context<'_>) -> Result<ApiResponse, ApiError> {
    let mut state = context.state();
    let record = settings(context, &mut state)?;
    let request = member::accept(MEMBERS, &context.call.json()?, false)?;
    let now = context.central.clock.now_ms();
    let after = request["expiresAfter"].as_str().unwrap_or("P7D");
    let expires = time::parse_or_duration(after, now).filter(|at| after.starts_with('P') && *at > now);
    expires.ok_or_else(|| invalid_parameter("expiresAfter"))?;
    record["desiredState"] =
        json!({ "enabled": request["enabled"], "expiresAfter": after, "source": "user" });
    record["_dueMs"] = json!(now + REPORT_DELAY_MS);
    Ok(ApiResponse::json(200, &body(record)))
}
