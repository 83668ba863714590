//! Deletion of endpoints, scans and update checks.

use serde_json::{Value, json};

use super::{find_endpoint, parse_ids, reference};
use crate::call::Context;
use crate::hash::uuid_text;
use crate::response::{ApiError, ApiResponse};
use crate::routes::Route;
use crate::time;

pub(crate) static ROUTES: &[Route] = &[
    Route::write("endpoints.delete", "DELETE", "/endpoint/v1/endpoints/:endpointId", delete),
    Route::write("endpoints.delete_many", "POST", "/endpoint/v1/endpoints/delete", delete_many),
    Route::write("endpoints.scan", "POST", "/endpoint/v1/endpoints/:endpointId/scans", request)
        .with_success(201),
    Route::write("endpoints.check_update", "POST", "/endpoint/v1/endpoints/:endpointId/update-checks", request)
        .with_success(201),
];

/// Deletes the endpoint with this id, if it exists.
fn delete_one(context: &Context<'_>, id: u128) -> Result<bool, ApiError> {
    let tenant = context.tenant()?;
    let Some(index) = context.central.find_endpoint(tenant, id) else { return Ok(false) };
    context.name_object(&reference(context, tenant, index));
    let now = context.central.clock.now_ms();
    let key = (tenant.number, index);
    context.central.endpoint_states.change(key, |changes| changes.deleted_ms = Some(now));
    Ok(true)
}

fn delete(context: &Context<'_>) -> Result<ApiResponse, ApiError> {
    let deleted = delete_one(context, context.id()?)?;
    Ok(ApiResponse::json(200, &json!({ "deleted": deleted })))
}

/// Unknown ids are absent from the response.
fn delete_many(context: &Context<'_>) -> Result<ApiResponse, ApiError> {
    let mut deleted: Vec<Value> = Vec::new();
    for id in parse_ids(&context.call.json()?, "endpointIds")? {
        if delete_one(context, id)? {
            deleted.push(json!(uuid_text(id)));
        }
    }
    Ok(ApiResponse::json(200, &json!({ "endpointIds": deleted })))
}

/// A request to the endpoint. Its body is an empty object.
fn request(context: &Context<'_>) -> Result<ApiResponse, ApiError> {
    let (tenant, index) = find_endpoint(context)?;
    context.call.json()?;
    context.name_object(&reference(context, tenant, index));
    let body = json!({
        "id": uuid_text(context.central.new_rng().uuid()),
        "status": "requested",
        "requestedAt": time::format_millis(context.central.clock.now_ms()),
    });
    Ok(ApiResponse::json(context.success, &body))
}
