//! Endpoint groups. Their members follow from the groups of the endpoints.

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::call::{Context, invalid_parameter};
use crate::data::endpoint::Group;
use crate::data::tenant::Tenant;
use crate::engine::{Change, Collection, Filter, Member, Paging, Seed, verbs};
use crate::hash::{parse_uuid, uuid_text};
use crate::response::{ApiError, ApiResponse};
use crate::routes::Route;

const TYPES: &[&str] = &["computer", "server", "securityVm"];
/// The maximum number of members that a group shows.
const MAX_SHOWN: usize = 50;
const ID: Member = Member::uuid("id");

/// `_synced` marks a group of Active Directory.
pub(super) static GROUPS: Collection = Collection {
    paging: Paging::Numbered { default: 50, max: 1_000 },
    members: &[
        Member::text_up_to("name", 256).required(),
        Member::text_up_to("description", 1_000),
        Member::one_of("type", TYPES).required().fixed(),
        Member::list("endpointIds", &ID, super::MAX_ENDPOINTS).fixed(),
    ],
    has_tenant: true,
    unique: &["name"],
    conflict: "Group names must be unique.",
    filters: &[Filter::one_of("groupType", "type", TYPES), Filter::equals("endpointIds", "_members.id")],
    searched: &["name", "description"],
    may_delete_unknown: true,
    seed: seed_groups,
    on_create: add_first_members,
    on_update: rename,
    on_delete: check_deletion,
    view: show_members,
    ..Collection::new("endpoint_groups", "group")
};

const GROUP: &str = "/endpoint/v1/endpoint-groups/:groupId";

pub(crate) static ROUTES: &[Route] = &[
    Route::read("endpoint_groups.list", "/endpoint/v1/endpoint-groups", |context| list(context, None)),
    Route::create("endpoint_groups.create", "/endpoint/v1/endpoint-groups", &GROUPS),
    Route::get("endpoint_groups.get", GROUP, &GROUPS),
    Route::update("endpoint_groups.update", GROUP, &GROUPS),
    Route::delete("endpoint_groups.delete", GROUP, &GROUPS),
    Route::read("endpoint_groups.list_type", "/endpoint/v1/endpoint-groups/types/:groupType", |context| {
        list(context, context.params.first().copied())
    }),
];

/// The groups of the endpoints, then one without members. The domain controllers are synced.
fn seed_groups(seed: &mut Seed<'_>) -> Vec<Value> {
    let Some(tenant) = seed.tenant else { return Vec::new() };
    let mut groups = Group::at_start(tenant);
    groups.push((seed.id("endpoint_groups", 99), "Spare laptops".to_owned(), false));
    let mut group = |(id, name, server): (String, String, bool)| {
        let at = seed.past(400);
        json!({
            "id": id, "name": name, "type": if server { "server" } else { "computer" },
            "description": format!("Endpoints of {name}"), "tenant": { "id": tenant.id_text },
            "createdAt": at, "updatedAt": at, "_synced": name == "Domain Controllers",
        })
    };
    groups.into_iter().map(&mut group).collect()
}

/// The members of all groups, by group id: `{"id": …, "hostname": …}`.
fn memberships(context: &Context<'_>, tenant: &Tenant) -> HashMap<String, Vec<Value>> {
    let mut all: HashMap<String, Vec<Value>> = HashMap::new();
    for seen in context.central.endpoints(tenant) {
        if let Some(group) = &seen.endpoint.group {
            let identity = &seen.endpoint.identity;
            let member = json!({ "id": uuid_text(identity.id), "hostname": identity.hostname });
            all.entry(group.key(tenant)).or_default().push(member);
        }
    }
    all
}

/// The members of one group.
pub(super) fn members(context: &Context<'_>, group: &Value) -> Vec<Value> {
    let id = group["id"].as_str().unwrap_or_default().to_lowercase();
    let all = context.scoped_tenant().map(|tenant| memberships(context, tenant));
    all.and_then(|mut all| all.remove(&id)).unwrap_or_default()
}

fn show_members(context: &Context<'_>, group: &mut Value) {
    if group["_members"].is_null() {
        group["_members"] = Value::Array(members(context, group));
    }
    let all = group["_members"].as_array().cloned().unwrap_or_default();
    let shown = &all[..all.len().min(MAX_SHOWN)];
    group["endpoints"] = json!({ "total": all.len(), "itemsCount": shown.len(), "items": shown });
}

fn list(context: &Context<'_>, kind: Option<&str>) -> Result<ApiResponse, ApiError> {
    if kind.is_some_and(|kind| !TYPES.contains(&kind)) {
        return Err(invalid_parameter("groupType"));
    }
    let mut groups = context.state().records(context.central, &GROUPS).clone();
    groups.retain(|group| kind.is_none_or(|kind| group["type"] == kind));
    let mut all = memberships(context, context.tenant()?);
    for group in &mut groups {
        let id = group["id"].as_str().unwrap_or_default().to_lowercase();
        group["_members"] = Value::Array(all.remove(&id).unwrap_or_default());
    }
    Ok(ApiResponse::json(200, &verbs::list_records(context, &GROUPS, groups)?))
}

/// Refuses changes of a group of Active Directory.
pub(super) fn check_custom(group: &Value) -> Result<(), ApiError> {
    if group["_synced"] == true {
        let message = "The group is synchronized from Active Directory.";
        return Err(ApiError::new(409, "conflict", message));
    }
    Ok(())
}

/// Moves endpoints into a group, or out of all groups.
pub(super) fn assign(context: &Context<'_>, indexes: &[u64], group: Option<&Value>) -> Result<(), ApiError> {
    let tenant = context.tenant()?;
    let text = |group: &Value, name: &str| group[name].as_str().map(str::to_owned);
    let new = group.map(|group| Group { id: text(group, "id"), name: text(group, "name") });
    for index in indexes {
        let (key, new) = ((tenant.number, *index), new.clone());
        context.central.endpoint_states.change(key, |changes| changes.group = Some(new));
    }
    Ok(())
}

/// The endpoints with these ids. Errors for an unknown one and one of another type.
fn add_first_members(change: &mut Change<'_, '_>) -> Result<(), ApiError> {
    let context = change.context;
    let tenant = context.tenant()?;
    let ids = change.record["endpointIds"].take();
    if let Some(members) = change.record.as_object_mut() {
        members.remove("endpointIds");
    }
    let mut indexes = Vec::new();
    for id in ids.as_array().into_iter().flatten() {
        let id = id.as_str().and_then(parse_uuid).ok_or_else(|| invalid_parameter("endpointIds"))?;
        let index = context.central.find_endpoint(tenant, id);
        let index = index.ok_or_else(|| ApiError::not_found("Endpoint not found"))?;
        let kind = context.central.endpoint(tenant, index).endpoint.identity.endpoint_type();
        if change.record["type"] != kind {
            return Err(ApiError::new(409, "conflict", "An endpoint has another type than the group."));
        }
        indexes.push(index);
    }
    assign(context, &indexes, Some(&change.record))
}

/// The indexes of a group's members.
pub(super) fn member_indexes(context: &Context<'_>, group: &Value) -> Result<Vec<u64>, ApiError> {
    let tenant = context.tenant()?;
    let index = |member: &Value| tenant.endpoint_index(parse_uuid(member["id"].as_str()?)?);
    Ok(members(context, group).iter().filter_map(index).collect())
}

/// The members show the new name.
fn rename(change: &mut Change<'_, '_>) -> Result<(), ApiError> {
    check_custom(&change.record)?;
    if change.before.as_ref().is_some_and(|before| before["name"] == change.record["name"]) {
        return Ok(());
    }
    let indexes = member_indexes(change.context, &change.record)?;
    assign(change.context, &indexes, Some(&change.record))
}

fn check_deletion(change: &mut Change<'_, '_>) -> Result<(), ApiError> {
    check_custom(&change.record)?;
    if members(change.context, &change.record).is_empty() {
        return Ok(());
    }
    Err(ApiError::new(409, "conflict", "You can only delete empty groups."))
}
