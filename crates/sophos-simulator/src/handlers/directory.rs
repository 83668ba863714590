//! The users and user groups of a tenant's directory, and who is in which group.

use serde_json::{Value, json};

use crate::call::{Context, invalid_parameter};
use crate::engine::{AccountState, Change, Collection, Filter, Member, Seed, verbs};
use crate::response::{ApiError, ApiResponse};
use crate::routes::Route;

const SOURCES: &[&str] = &["activeDirectory", "azureActiveDirectory", "custom"];
const ID: Member = Member::uuid("id");

pub(crate) static USERS: Collection = Collection {
    members: &[
        Member::text_up_to("name", 256).required(),
        Member::text_up_to("firstName", 128),
        Member::text_up_to("lastName", 128),
        Member::text_up_to("email", 320),
        Member::text_up_to("exchangeLogin", 256),
        Member::list("groupIds", &ID, 1_000).fixed(),
    ],
    has_tenant: true,
    unique: &["email"],
    conflict: "Email address must not already be in use.",
    filters: &[
        Filter::one_of("sourceType", "source.type", SOURCES),
        Filter::equals("domain", "domain"),
        Filter::equals("groupId", "groups.items.id"),
    ],
    searched: &["name", "firstName", "lastName", "email", "exchangeLogin"],
    may_delete_unknown: true,
    seed: seed_users,
    on_create: |change| join_all(change, &USER_SIDE, "groupIds"),
    on_update: |change| check_custom(&change.record, "update users"),
    on_delete: leave_groups,
    ..Collection::new("users", "user")
};

pub(crate) static GROUPS: Collection = Collection {
    members: &[
        Member::text_up_to("name", 256).required(),
        Member::text_up_to("description", 1_000),
        Member::list("userIds", &ID, 1_000).fixed(),
    ],
    has_tenant: true,
    unique: &["name"],
    conflict: "Group names must be unique.",
    filters: &[
        Filter::one_of("sourceType", "source.type", SOURCES),
        Filter::equals("domain", "domain"),
        Filter::equals("userId", "users.items.id"),
    ],
    searched: &["name", "description"],
    may_delete_unknown: true,
    seed: seed_groups,
    on_create: |change| join_all(change, &GROUP_SIDE, "userIds"),
    on_update: |change| check_custom(&change.record, "update groups"),
    on_delete: check_empty,
    ..Collection::new("user_groups", "group")
};

/// One side of the memberships, as a request sees them.
#[derive(Debug)]
struct Side {
    own: &'static Collection,
    /// The member of the own record with references to the other side.
    member: &'static str,
    other: &'static Collection,
    added: &'static str,
    removed: &'static str,
    not_found: &'static str,
}

static USER_SIDE: Side = Side {
    own: &USERS,
    member: "groups",
    other: &GROUPS,
    added: "addedToGroups",
    removed: "removedFromGroups",
    not_found: "groupsNotFound",
};

static GROUP_SIDE: Side = Side {
    own: &GROUPS,
    member: "users",
    other: &USERS,
    added: "addedUsers",
    removed: "removedUsers",
    not_found: "usersNotFound",
};

pub(crate) static ROUTES: &[Route] = &[
    Route::list("users.list", "/common/v1/directory/users", &USERS),
    Route::create("users.create", "/common/v1/directory/users", &USERS),
    Route::get("users.get", "/common/v1/directory/users/:userId", &USERS),
    Route::update("users.update", "/common/v1/directory/users/:userId", &USERS),
    Route::delete("users.delete", "/common/v1/directory/users/:userId", &USERS),
    Route::read("users.groups", USER_GROUPS, |context| list(context, &USER_SIDE)),
    Route::write("users.add_to_groups", "POST", USER_GROUPS, |context| add(context, &USER_SIDE))
        .with_success(201),
    Route::write("users.remove_from_groups", "DELETE", USER_GROUPS, |context| remove(context, &USER_SIDE)),
    Route::write("users.remove_from_group", "DELETE", USER_GROUP, |context| remove_one(context, &USER_SIDE)),
    Route::list("user_groups.list", "/common/v1/directory/user-groups", &GROUPS),
    Route::create("user_groups.create", "/common/v1/directory/user-groups", &GROUPS),
    Route::get("user_groups.get", "/common/v1/directory/user-groups/:groupId", &GROUPS),
    Route::update("user_groups.update", "/common/v1/directory/user-groups/:groupId", &GROUPS),
    Route::delete("user_groups.delete", "/common/v1/directory/user-groups/:groupId", &GROUPS),
    Route::read("user_groups.users", GROUP_USERS, |context| list(context, &GROUP_SIDE)),
    Route::write("user_groups.add_users", "POST", GROUP_USERS, |context| add(context, &GROUP_SIDE))
        .with_success(201),
    Route::write("user_groups.remove_users", "DELETE", GROUP_USERS, |context| remove(context, &GROUP_SIDE)),
    Route::write("user_groups.remove_user", "DELETE", GROUP_USER, |context| remove_one(context, &GROUP_SIDE)),
];

const USER_GROUPS: &str = "/common/v1/directory/users/:userId/groups";
const USER_GROUP: &str = "/common/v1/directory/users/:userId/groups/:groupId";
const GROUP_USERS: &str = "/common/v1/directory/user-groups/:groupId/users";
const GROUP_USER: &str = "/common/v1/directory/user-groups/:groupId/users/:userId";

const GROUP_NAMES: &[&str] = &["Administration", "Sales", "Engineering", "Domain Users", "Contractors"];
/// The first users are of the tenant's own directory, the others of Active Directory.
const CUSTOM_USERS: usize = 8;
/// The group that is synced from Active Directory, and the one without users.
const SYNCED_GROUP: usize = 3;
const EMPTY_GROUP: usize = 4;
const SEEDED_USERS: usize = 12;

fn group_of(user: usize) -> usize {
    if user < CUSTOM_USERS { user % SYNCED_GROUP } else { SYNCED_GROUP }
}

fn references(items: Vec<Value>) -> Value {
    json!({ "total": items.len(), "itemsCount": items.len(), "items": items })
}

fn seed_users(seed: &mut Seed<'_>) -> Vec<Value> {
    let tenant = seed.tenant_ref();
    let user = |number: usize| {
        let (person, at) = (seed.person(number), seed.past(400));
        let is_synced = number >= CUSTOM_USERS;
        let group = group_of(number);
        let groups = vec![json!({ "id": seed.id("user_groups", group as u64), "name": GROUP_NAMES[group] })];
        let mut user = json!({
            "name": person.name, "firstName": person.first, "lastName": person.last, "email": person.email,
            "groups": references(groups), "tenant": tenant,
            "source": { "type": if is_synced { "activeDirectory" } else { "custom" } },
            "createdAt": at, "updatedAt": at,
        });
        if is_synced {
            user["domain"] = json!("corp.example.com");
        }
        user
    };
    (0..SEEDED_USERS).map(user).collect()
}

fn seed_groups(seed: &mut Seed<'_>) -> Vec<Value> {
    let tenant = seed.tenant_ref();
    let group = |number: usize| {
        let at = seed.past(400);
        let is_synced = number == SYNCED_GROUP;
        let has = |user: &usize| number != EMPTY_GROUP && group_of(*user) == number;
        let user = |user| json!({ "id": seed.id("users", user as u64), "name": seed.person(user).name });
        let users = (0..SEEDED_USERS).filter(has).map(user).collect();
        let mut group = json!({
            "name": GROUP_NAMES[number], "description": format!("The group {}.", GROUP_NAMES[number]),
            "users": references(users), "tenant": tenant,
            "source": { "type": if is_synced { "activeDirectory" } else { "custom" } },
            "createdAt": at, "updatedAt": at,
        });
        if is_synced {
            group["domain"] = json!("corp.example.com");
        }
        group
    };
    (0..GROUP_NAMES.len()).map(group).collect()
}

fn check_custom(record: &Value, action: &str) -> Result<(), ApiError> {
    if record["source"]["type"] == "custom" {
        return Ok(());
    }
    let message = format!("You can't use this API to {action} synced from Active Directory.");
    Err(ApiError::new(409, "conflict", &message))
}

fn items(record: &Value, member: &str) -> Vec<Value> {
    record[member]["items"].as_array().cloned().unwrap_or_default()
}

fn reference(record: &Value) -> Value {
    json!({ "id": record["id"], "name": record["name"] })
}

/// Adds or removes a reference.
fn set_reference(record: &mut Value, member: &str, to: &Value, is_member: bool) {
    let mut kept = items(record, member);
    kept.retain(|item| item["id"] != to["id"]);
    if is_member {
        kept.push(reference(to));
    }
    record[member] = references(kept);
}

/// The records of the other side with these ids; 404 if one is unknown, 409 if one is synced.
fn find_others(
    context: &Context<'_>,
    state: &mut AccountState,
    side: &Side,
    ids: &Value,
) -> Result<Vec<Value>, ApiError> {
    let ids = ids.as_array().map_or(&[][..], Vec::as_slice);
    let mut found = Vec::with_capacity(ids.len());
    for id in ids {
        let other = state.find(context.central, side.other, id.as_str().unwrap_or_default());
        let other = other.ok_or_else(|| side.other.not_found())?.clone();
        check_custom(&other, "add or modify users and groups")?;
        found.push(other);
    }
    Ok(found)
}

/// The memberships of a new user or group.
fn join_all(change: &mut Change<'_, '_>, side: &'static Side, ids: &str) -> Result<(), ApiError> {
    let wanted = change.record[ids].take();
    let others = find_others(change.context, change.state, side, &wanted)?;
    if let Some(members) = change.record.as_object_mut() {
        members.remove(ids);
    }
    change.record["source"] = json!({ "type": "custom" });
    change.record[side.member] = references(others.iter().map(reference).collect());
    let back = if side.member == "groups" { "users" } else { "groups" };
    for other in others {
        let id = other["id"].as_str().unwrap_or_default();
        if let Some(other) = change.state.find(change.context.central, side.other, id) {
            set_reference(other, back, &change.record, true);
        }
    }
    Ok(())
}

fn leave_groups(change: &mut Change<'_, '_>) -> Result<(), ApiError> {
    check_custom(&change.record, "delete users")?;
    for group in change.state.records(change.context.central, &GROUPS) {
        set_reference(group, "users", &change.record, false);
    }
    Ok(())
}

fn check_empty(change: &mut Change<'_, '_>) -> Result<(), ApiError> {
    check_custom(&change.record, "delete groups")?;
    if items(&change.record, "users").is_empty() {
        return Ok(());
    }
    Err(ApiError::new(409, "conflict", "You can only delete empty groups with no members."))
}

/// The user or group in the path.
fn own(context: &Context<'_>, state: &mut AccountState, side: &Side) -> Result<Value, ApiError> {
    context.id()?;
    let id = context.params.first().copied().unwrap_or_default();
    let found = state.find(context.central, side.own, id).cloned();
    let record = found.ok_or_else(|| side.own.not_found())?;
    context.name_object(&record);
    Ok(record)
}

fn list(context: &Context<'_>, side: &Side) -> Result<ApiResponse, ApiError> {
    let mut state = context.state();
    let own = own(context, &mut state, side)?;
    let ids: Vec<Value> = items(&own, side.member).iter().map(|item| item["id"].clone()).collect();
    let mut others = state.records(context.central, side.other).clone();
    others.retain(|other| ids.contains(&other["id"]));
    Ok(ApiResponse::json(200, &verbs::list_records(context, side.other, others)?))
}

/// Links or unlinks the record in the path and `others`, on both sides.
fn link(context: &Context<'_>, state: &mut AccountState, side: &Side, others: &[Value], is_member: bool) {
    let id = context.params.first().copied().unwrap_or_default();
    let back = if side.member == "groups" { "users" } else { "groups" };
    let Some(own) = state.find(context.central, side.own, id) else { return };
    for other in others {
        set_reference(own, side.member, other, is_member);
    }
    let own = own.clone();
    for other in others {
        let id = other["id"].as_str().unwrap_or_default();
        if let Some(other) = state.find(context.central, side.other, id) {
            set_reference(other, back, &own, is_member);
        }
    }
}

fn add(context: &Context<'_>, side: &Side) -> Result<ApiResponse, ApiError> {
    let mut state = context.state();
    let own = own(context, &mut state, side)?;
    check_custom(&own, "modify users or groups")?;
    let body = context.call.json()?;
    if body["ids"].as_array().is_none_or(Vec::is_empty) {
        return Err(invalid_parameter("ids"));
    }
    let others = find_others(context, &mut state, side, &body["ids"])?;
    link(context, &mut state, side, &others, true);
    let added: Vec<Value> = others.iter().map(reference).collect();
    Ok(ApiResponse::json(context.success, &json!({ side.added: added })))
}

fn remove(context: &Context<'_>, side: &Side) -> Result<ApiResponse, ApiError> {
    let mut state = context.state();
    let own = own(context, &mut state, side)?;
    check_custom(&own, "modify users or groups")?;
    let ids = context.call.query.list("ids");
    if ids.is_empty() {
        return Err(invalid_parameter("ids"));
    }
    let current = items(&own, side.member);
    let is_current = |id: &&str| current.iter().any(|item| side.other.has_id(item, id));
    let (known, unknown): (Vec<&str>, Vec<&str>) = ids.into_iter().partition(is_current);
    let removed: Vec<Value> =
        current.iter().filter(|item| known.iter().any(|id| side.other.has_id(item, id))).cloned().collect();
    link(context, &mut state, side, &removed, false);
    let mut body = json!({ side.removed: removed });
    if !unknown.is_empty() {
        body["errors"] = json!({ side.not_found: unknown });
    }
    Ok(ApiResponse::json(200, &body))
}

fn remove_one(context: &Context<'_>, side: &Side) -> Result<ApiResponse, ApiError> {
    let mut state = context.state();
    let own = own(context, &mut state, side)?;
    check_custom(&own, "modify users or groups")?;
    let id = context.params.get(1).copied().unwrap_or_default();
    let mut removed = items(&own, side.member);
    removed.retain(|item| side.other.has_id(item, id));
    link(context, &mut state, side, &removed, false);
    Ok(ApiResponse::json(200, &json!({ "removed": !removed.is_empty() })))
}
