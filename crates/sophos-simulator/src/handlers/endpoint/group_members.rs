//! The endpoints of endpoint groups.

use serde_json::{Value, json};

use super::groups::{self, GROUPS};
use super::{parse_ids, reference};
use crate::call::{Context, invalid_parameter};
use crate::engine::AccountState;
use crate::handlers::endpoints;
use crate::hash::{parse_uuid, uuid_text};
use crate::response::{ApiError, ApiResponse};
use crate::routes::Route;

const MEMBERS: &str = "/endpoint/v1/endpoint-groups/:groupId/endpoints";
const MEMBER: &str = "/endpoint/v1/endpoint-groups/:groupId/endpoints/:endpointId";

pub(crate) static ROUTES: &[Route] = &[
    Route::read("endpoint_groups.endpoints", MEMBERS, list),
    Route::write("endpoint_groups.add_endpoints", "POST", MEMBERS, add).with_success(201),
    Route::write("endpoint_groups.remove_endpoints", "DELETE", MEMBERS, remove),
    Route::write("endpoint_groups.remove_endpoint", "DELETE", MEMBER, remove_one),
];

/// The group in the path.
fn find_group(context: &Context<'_>, state: &mut AccountState) -> Result<Value, ApiError> {
    context.id()?;
    let id = context.params.first().copied().unwrap_or_default();
    let group = state.find(context.central, &GROUPS, id).cloned().ok_or_else(|| GROUPS.not_found())?;
    context.name_object(&group);
    Ok(group)
}

fn list(context: &Context<'_>) -> Result<ApiResponse, ApiError> {
    let group = find_group(context, &mut context.state())?;
    endpoints::list_indexes(context, groups::member_indexes(context, &group)?)
}

/// Adds those endpoints that exist and have the type of the group. They leave their former group.
fn add(context: &Context<'_>) -> Result<ApiResponse, ApiError> {
    let mut state = context.state();
    let group = find_group(context, &mut state)?;
    groups::check_custom(&group)?;
    let tenant = context.tenant()?;
    let (mut added, mut unknown, mut wrong) = (Vec::new(), Vec::new(), Vec::new());
    for id in parse_ids(&context.call.json()?, "ids")? {
        let Some(index) = context.central.find_endpoint(tenant, id) else {
            unknown.push(uuid_text(id));
            continue;
        };
        let endpoint = context.central.endpoint(tenant, index).endpoint;
        if group["type"] != endpoint.identity.endpoint_type() {
            wrong.push(uuid_text(id));
            continue;
        }
        if let Some(former) = endpoint.group {
            let former = state.find(context.central, &GROUPS, &former.key(tenant));
            former.map_or(Ok(()), |former| groups::check_custom(former))?;
        }
        added.push(index);
    }
    if added.is_empty() && wrong.is_empty() {
        return Err(ApiError::not_found("Can't find endpoints."));
    }
    groups::assign(context, &added, Some(&group))?;
    let added: Vec<Value> = added.into_iter().map(|index| reference(context, tenant, index)).collect();
    let mut body = json!({ "addedEndpoints": added });
    for (name, ids) in [("endpointsNotFound", unknown), ("endpointsOfWrongType", wrong)] {
        if !ids.is_empty() {
            body["errors"][name] = json!(ids);
        }
    }
    Ok(ApiResponse::json(context.success, &body))
}

/// Removes those of the endpoints that are members.
fn remove_members(
    context: &Context<'_>,
    wanted: &[u128],
) -> Result<(Vec<Value>, Vec<String>), ApiError> {
    let mut state = context.state();
    let group = find_group(context, &mut state)?;
    groups::check_custom(&group)?;
    let tenant = context.tenant()?;
    let current = groups::member_indexes(context, &group)?;
    let (mut removed, mut unknown) = (Vec::new(), Vec::new());
    for id in wanted {
        match tenant.endpoint_index(*id).filter(|index| current.contains(index)) {
            Some(index) => removed.push(index),
            None => unknown.push(uuid_text(*id)),
        }
    }
    groups::assign(context, &removed, None)?;
    Ok((removed.into_iter().map(|index| reference(context, tenant, index)).collect(), unknown))
}

fn remove(context: &Context<'_>) -> Result<ApiResponse, ApiError> {
    let ids: Option<Vec<u128>> = context.call.query.list("ids").into_iter().map(parse_uuid).collect();
    let ids = ids.filter(|ids| (1..=super::MAX_ENDPOINTS).contains(&ids.len()));
    let (removed, unknown) = remove_members(context, &ids.ok_or_else(|| invalid_parameter("ids"))?)?;
    let mut body = json!({ "removedEndpoints": removed });
    if !unknown.is_empty() {
        body["errors"] = json!({ "endpointsNotFound": unknown });
    }
    Ok(ApiResponse::json(200, &body))
}

fn remove_one(context: &Context<'_>) -> Result<ApiResponse, ApiError> {
    let id = context.params.get(1).and_then(|id| parse_uuid(id));
    let id = id.ok_or_else(|| ApiError::bad_request("Invalid request"))?;
    if context.central.find_endpoint(context.tenant()?, id).is_none() {
        return Err(ApiError::not_found("Endpoint not found"));
    }
    let (removed, _) = remove_members(context, &[id])?;
    Ok(ApiResponse::json(200, &json!({ "removed": !removed.is_empty() })))
}
