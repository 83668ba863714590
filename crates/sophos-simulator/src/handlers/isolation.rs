//! Isolation of one endpoint and of several.

use serde_json::{Value, json};

use crate::call::{Context, invalid_parameter};
use crate::data::endpoint::Endpoint;
use crate::data::tenant::Tenant;
use crate::endpoint_states::{Conflict, EndpointKey, IsolationRecord, IsolationRequest};
use crate::faults::FaultAction;
use crate::hash::{parse_uuid, uuid_text};
use crate::response::{ApiError, ApiResponse};
use crate::time;

const MAX_BULK_IDS: usize = 50;
const MAX_COMMENT_LEN: usize = 400;

fn isolation_json(isolation: &IsolationRecord, salt: u64) -> Value {
    let mut body = json!({ "enabled": isolation.enabled });
    let zone = if salt.is_multiple_of(2) { "GMT" } else { "UTC" };
    let mut put = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            body[name] = value;
        }
    };
    let at = |ms: &Option<i64>| ms.map(|ms| json!(time::format_dotted(ms, zone)));
    let by = |who: &Option<String>| who.as_ref().map(|id| json!({ "id": id }));
    put("lastEnabledAt", at(&isolation.enabled_at));
    put("lastEnabledBy", by(&isolation.enabled_by));
    put("lastDisabledAt", at(&isolation.disabled_at));
    put("lastDisabledBy", by(&isolation.disabled_by));
    put("comment", isolation.comment.as_ref().map(|c| json!(c)));
    body
}

/// The isolation state of one endpoint.
fn endpoint_isolation_json(context: &Context<'_>, tenant: &Tenant, index: u64) -> Value {
    let seen = context.central.endpoint(tenant, index);
    isolation_json(&seen.isolation, seen.endpoint.salt)
}

fn find_endpoint(context: &Context<'_>) -> Result<(u64, bool), ApiError> {
    let tenant = context.tenant()?;
    let id = context.id()?;
    let index = context.central.find_endpoint(tenant, id).ok_or_else(|| ApiError::not_found("No endpoint found."))?;
    Ok((index, Endpoint::new(tenant, index).online))
}

fn parse_request<'b>(
    body: &'b Value,
    by: &'b str,
    operation: &'static str,
) -> Result<IsolationRequest<'b>, ApiError> {
    let enabled = body["enabled"].as_bool().ok_or_else(|| invalid_parameter("enabled"))?;
    let comment = match &body["comment"] {
        Value::Null => None,
        Value::String(text) if text.chars().count() <= MAX_COMMENT_LEN => Some(text.as_str()),
        _ => return Err(invalid_parameter("comment")),
    };
    Ok(IsolationRequest { enabled, comment, requested_by: by, operation })
}

fn conflict_error(conflict: Conflict) -> ApiError {
    match conflict {
        Conflict::InProgress => {
            ApiError::new(409, "conflict", "Isolation or removal from isolation in progress.")
        }
        Conflict::AlreadyInState => ApiError::bad_request("Invalid request"),
    }
}

pub(crate) fn get(context: &Context<'_>) -> Result<ApiResponse, ApiError> {
    let (index, _) = find_endpoint(context)?;
    Ok(ApiResponse::json(200, &endpoint_isolation_json(context, context.tenant()?, index)))
}

pub(crate) fn set(context: &Context<'_>) -> Result<ApiResponse, ApiError> {
    let tenant = context.tenant()?;
    let (index, online) = find_endpoint(context)?;
    let body = context.call.json()?;
    let wish = parse_request(&body, &context.credential()?.client_id, "isolation.set")?;
    let now = context.central.clock.now_ms();
    context
        .central
        .endpoint_states
        .request(&[((tenant.number, index), online)], &wish, true, now)
        .map_err(conflict_error)?;
    Ok(ApiResponse::json(200, &endpoint_isolation_json(context, tenant, index)))
}

pub(crate) fn bulk(context: &Context<'_>) -> Result<ApiResponse, ApiError> {
    let tenant = context.tenant()?;
    let body = context.call.json()?;
    let wish = parse_request(&body, &context.credential()?.client_id, "isolation.bulk")?;
    let ids = body["ids"].as_array().ok_or_else(|| invalid_parameter("ids"))?;
    if !(1..=MAX_BULK_IDS).contains(&ids.len()) {
        return Err(invalid_parameter("ids"));
    }
    let ids: Option<Vec<u128>> = ids.iter().map(|id| parse_uuid(id.as_str()?)).collect();
    let ids = ids.ok_or_else(|| invalid_parameter("ids"))?;
    let mut known: Vec<(EndpointKey, bool)> = Vec::new();
    for id in ids {
        if let Some(index) = context.central.find_endpoint(tenant, id)
            && known.iter().all(|((_, i), _)| *i != index)
        {
            let online = Endpoint::new(tenant, index).online;
            known.push(((tenant.number, index), online));
        }
    }
    if known.is_empty() {
        return Err(ApiError::not_found("No endpoints found."));
    }
    if let Some(FaultAction::OmitEndpoint { endpoint }) = context.fault {
        omit_endpoint(tenant, &mut known, endpoint.as_deref());
    }
    let now = context.central.clock.now_ms();
    let fleet = &context.central.endpoint_states;
    fleet.request(&known, &wish, false, now).map_err(conflict_error)?;
    let mut items: Vec<Value> = known
        .iter()
        .map(|((_, index), _)| {
            json!({
                "id": uuid_text(tenant.endpoint_id(*index)),
                "isolation": endpoint_isolation_json(context, tenant, *index),
            })
        })
        .collect();
    if let Some(FaultAction::ExtraEndpoint { endpoint }) = context.fault {
        let id = endpoint.clone().unwrap_or_else(|| uuid_text(context.central.new_rng().uuid()));
        items.push(json!({ "id": id, "isolation": { "enabled": wish.enabled } }));
    }
    Ok(ApiResponse::json(202, &json!({ "items": items })))
}

fn omit_endpoint(tenant: &Tenant, known: &mut Vec<(EndpointKey, bool)>, endpoint: Option<&str>) {
    match endpoint {
        None => {
            known.pop();
        }
        Some(id) => {
            let index = parse_uuid(id).and_then(|id| tenant.endpoint_index(id));
            known.retain(|((_, known), _)| Some(*known) != index);
        }
    }
}
