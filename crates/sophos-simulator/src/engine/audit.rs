//! The audit log: one event for each change, and `GET /audit/v1/audit-events`.

use serde_json::{Value, json};

use crate::call::{Context, invalid_parameter};
use crate::engine::{Filter, Paging, filter};
use crate::hash::uuid_text;
use crate::response::{ApiError, ApiResponse};
use crate::routes::Route;
use crate::time;

/// 90 days.
const RETENTION_MS: i64 = 90 * 86_400_000;

pub(crate) static ROUTES: &[Route] =
    &[Route::read("audit.events", "/audit/v1/audit-events", list).global().optional_tenant()];

const FILTERS: &[Filter] = &[
    Filter::equals("originIpAddress", "originIpAddress"),
    Filter::equals("modifiedBy", "modifiedBy.email"),
    Filter::equals("modifierAccountId", "modifierAccount.id"),
    Filter::equals("resourceOwnerId", "resourceOwner.id"),
];

/// Records a change that succeeded in the log of the account it concerns.
pub(crate) fn record(context: &Context<'_>, operation: &'static str) {
    let Some(who) = context.credential.as_ref() else { return };
    let event = json!({
        "id": uuid_text(context.central.new_rng().uuid()),
        "createdAt": time::format_millis(context.central.clock.now_ms()),
        "type": operation,
        "objectName": context.object_name(),
        "modifiedBy": service_actor(&who.client_id),
        "modifierAccount": { "id": uuid_text(who.principal_id), "type": who.kind.as_str() },
        "resourceOwner": { "id": uuid_text(context.account_id()) },
        "originIpAddress": "127.0.0.1",
    });
    context.state().audit_events.push(event);
}

/// An event that a test adds to the log of an account.
pub(crate) fn added_event(id: String, account: u128, at_ms: i64) -> Value {
    let account = uuid_text(account);
    json!({
        "id": id, "createdAt": time::format_millis(at_ms), "type": "test.change", "objectName": null,
        "modifiedBy": service_actor("test"), "modifierAccount": { "id": account, "type": "tenant" },
        "resourceOwner": { "id": account }, "originIpAddress": "127.0.0.1",
    })
}

fn service_actor(client_id: &str) -> Value {
    json!({ "id": client_id, "type": "service", "email": format!("{client_id}@service.example") })
}

fn list(context: &Context<'_>) -> Result<ApiResponse, ApiError> {
    let query = &context.call.query;
    let now = context.central.clock.now_ms();
    let full = |name| match query.get(name) {
        None => Ok(None),
        Some(text) => time::parse(text).map(Some).ok_or_else(|| invalid_parameter(name)),
    };
    let from = full("startDate")?.ok_or_else(|| invalid_parameter("startDate"))?.max(now - RETENTION_MS);
    let to = full("endDate")?.unwrap_or(i64::MAX);
    let mut events: Vec<Value> = context.state().audit_events.clone();
    events.retain(|event| {
        let at = event["createdAt"].as_str().and_then(time::parse).unwrap_or_default();
        (from..=to).contains(&at)
    });
    let events = filter::select(query, events, FILTERS, &[], "id", now)?;
    let body = Paging::KEYED.body(context, events, |event| filter::scalar_text(&event["id"]))?;
    Ok(ApiResponse::json(200, &body))
}
