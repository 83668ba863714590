//! Requests that a firewall processes later, and their outcomes.

use serde_json::{Value, json};

use crate::call::{Context, invalid_parameter};
use crate::engine::{AccountState, Collection, verbs};
use crate::hash::parse_uuid;
use crate::response::{ApiError, ApiResponse};
use crate::time;

/// The simulated time until a connected firewall starts a request, and until it finishes it.
const START_MS: i64 = 2_000;
pub(super) const FINISH_MS: i64 = 10_000;
/// 24 hours.
const LIFETIME_MS: i64 = 86_400_000;

/// The members that the parameter `fields` selects.
const OPTIONAL: &[&str] = &["request", "response", "expiryAt", "finishedAt"];

pub(super) static TRANSACTIONS: Collection =
    Collection { has_times: false, ..Collection::new("firewall_transactions", "transaction") };

/// A transaction to start.
pub(super) struct New<'n> {
    /// The firewall, unless the transaction concerns several.
    pub(super) firewall: Option<&'n Value>,
    pub(super) result: &'static str,
    pub(super) response: Value,
}

/// Starts a transaction. A firewall that is not connected never finishes it.
pub(super) fn start(
    context: &Context<'_>,
    state: &mut AccountState,
    new: New<'_>,
) -> Result<Value, ApiError> {
    let now = context.central.clock.now_ms();
    let parameters = context.call.query.0.iter();
    let query: Vec<Value> = parameters.map(|(name, value)| json!({ "name": name, "value": value })).collect();
    let is_reachable = new.firewall.is_none_or(|firewall| firewall["status"]["connected"] == true);
    let record = json!({
        "createdAt": time::format_millis(now),
        "expiryAt": time::format_millis(now + LIFETIME_MS),
        "request": { "method": context.call.method.as_str(), "path": context.call.path, "query": query },
        "_firewallId": new.firewall.map(|firewall| firewall["id"].clone()),
        "_startMs": is_reachable.then_some(now + START_MS),
        "_finishMs": is_reachable.then_some(now + FINISH_MS),
        "_result": new.result,
        "_response": new.response,
    });
    verbs::add(context, state, &TRANSACTIONS, record)
}

/// The response that names a started transaction.
pub(super) fn accepted(context: &Context<'_>, transaction: &Value) -> ApiResponse {
    ApiResponse::json(context.success, &json!({ "transactionId": transaction["id"] }))
}

/// A transaction at the current time.
pub(super) fn show(context: &Context<'_>, transaction: &Value) -> Value {
    let now = context.central.clock.now_ms();
    let time_of = |name: &str| transaction[name].as_i64();
    let mut shown = transaction.clone();
    shown["status"] = json!("pending");
    shown["result"] = json!("notAvailable");
    if time_of("_startMs").is_some_and(|start| now >= start) {
        shown["status"] = json!("started");
    }
    if let Some(end) = time_of("_finishMs").filter(|end| now >= *end) {
        shown["status"] = json!("finished");
        shown["result"] = transaction["_result"].clone();
        shown["response"] = transaction["_response"].clone();
        shown["finishedAt"] = json!(time::format_millis(end));
    }
    verbs::hide(&mut shown);
    shown
}

/// The transaction with this id, until it expires.
pub(super) fn find(context: &Context<'_>, state: &mut AccountState, id: &str) -> Result<Value, ApiError> {
    parse_uuid(id).ok_or_else(|| ApiError::bad_request("Invalid request"))?;
    let now = context.central.clock.now_ms();
    let found = state.find(context.central, &TRANSACTIONS, id).cloned();
    let is_valid = |transaction: &Value| {
        transaction["expiryAt"].as_str().and_then(time::parse).is_some_and(|end| now < end)
    };
    found.filter(is_valid).ok_or_else(|| TRANSACTIONS.not_found())
}

/// The transaction of a firewall.
pub(super) fn get(context: &Context<'_>) -> Result<ApiResponse, ApiError> {
    context.id()?;
    let fields = context.call.query.list("fields");
    if fields.iter().any(|field| !OPTIONAL.contains(field)) {
        return Err(invalid_parameter("fields"));
    }
    let [firewall, id] = context.params[..] else { return Err(TRANSACTIONS.not_found()) };
    let transaction = find(context, &mut context.state(), id)?;
    let owner = transaction["_firewallId"].as_str().unwrap_or_default();
    if !owner.eq_ignore_ascii_case(firewall) {
        return Err(TRANSACTIONS.not_found());
    }
    let mut shown = show(context, &transaction);
    if let Some(members) = shown.as_object_mut().filter(|_| !fields.is_empty()) {
        let name_is_kept = |name: &str| !OPTIONAL.contains(&name) || fields.contains(&name);
        members.retain(|name, _| name_is_kept(name));
    }
    Ok(ApiResponse::json(200, &shown))
}
