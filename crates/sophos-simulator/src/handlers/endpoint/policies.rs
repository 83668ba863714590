//! Policies and base policies.

use serde_json::{Value, json};

use super::policy_catalogue::{self as catalogue, TYPE_NAMES, TYPES};
use super::{actor, groups};
use crate::call::{Context, invalid_parameter};
use crate::engine::{AccountState, Change, Collection, Filter, Member, Paging, Seed, verbs};
use crate::handlers::directory;
use crate::hash::parse_uuid;
use crate::response::{ApiError, ApiResponse};
use crate::routes::Route;
use crate::time;

const ID: Member = Member::uuid("id");

const TARGETS: &[Member] = &[
    Member::list("users", &ID, 1_000),
    Member::list("userGroups", &ID, 1_000),
    Member::list("endpoints", &ID, 1_000),
    Member::list("endpointGroups", &ID, 1_000),
];

/// `_isBase` marks a base policy. Its priority is 0; those of other policies of a type are 1 to n.
pub(super) static POLICIES: Collection = Collection {
    paging: Paging::Numbered { default: 50, max: 200 },
    members: &[
        Member::text_up_to("name", 256).required(),
        Member::one_of("type", TYPE_NAMES).required().fixed(),
        Member::boolean("enabled"),
        Member::time("disableAt"),
        Member::object("appliesTo", TARGETS),
        Member::integer("priority", 1, 10_000),
        Member::object("settings", &[]),
    ],
    unique: &["name"],
    conflict: "A policy with this name already exists.",
    filters: &[Filter::one_of("policyType", "type", TYPE_NAMES)],
    detail: &["appliesTo", "disableAt", "createdAt", "createdBy", "updatedAt", "updatedBy"],
    seed: seed_policies,
    on_create: complete,
    on_update: check_update,
    on_delete: delete,
    view: disable,
    ..Collection::new("policies", "policy")
};

const POLICY: &str = "/endpoint/v1/policies/:policyId";
const BASE: &str = "/endpoint/v1/policies/:policyType/base";

pub(crate) static ROUTES: &[Route] = &[
    Route::list("policies.list", "/endpoint/v1/policies", &POLICIES),
    Route::create("policies.create", "/endpoint/v1/policies", &POLICIES),
    Route::get("policies.get", POLICY, &POLICIES),
    Route::update("policies.update", POLICY, &POLICIES),
    Route::delete("policies.delete", POLICY, &POLICIES),
    Route::write("policies.clone", "POST", "/endpoint/v1/policies/:policyId/clone", |context| {
        clone(context, false)
    })
    .with_success(201),
    Route::read("base_policies.get", BASE, get_base),
    Route::write("base_policies.update", "PATCH", BASE, update_base),
    Route::write("base_policies.clone", "POST", "/endpoint/v1/policies/:policyType/base/clone", |context| {
        clone(context, true)
    })
    .with_success(201),
];

/// Three policies and the base policies. The managing account locked the third one.
fn seed_policies(seed: &mut Seed<'_>) -> Vec<Value> {
    let (author, tenant) = (seed.uuid(), seed.tenant.map(|tenant| tenant.id_text.clone()));
    let actor = json!({
        "id": author, "type": "user", "name": seed.person(0).name, "accountType": "tenant",
        "accountId": tenant,
    });
    let name = seed.tenant.map(|tenant| tenant.name.clone());
    let mut policy = |kind: &str, name_of_policy: String, priority: i64, locked: bool| {
        let at = seed.past(300);
        json!({
            "name": name_of_policy, "type": kind, "priority": priority, "enabled": true,
            "lockedByManagingAccount": locked, "tenant": { "id": tenant, "name": name },
            "settings": catalogue::defaults(kind), "appliesTo": {},
            "createdAt": at, "createdBy": actor, "updatedAt": at, "updatedBy": actor,
            "_isBase": priority == 0,
        })
    };
    let mut all = vec![
        policy("device-encryption", "Laptops".to_owned(), 1, false),
        policy("threat-protection", "Pilot computers".to_owned(), 1, false),
        policy("web-control", "Group standard".to_owned(), 1, true),
    ];
    for (kind, label, _) in TYPES {
        all.push(policy(kind, format!("Base Policy - {label}"), 0, false));
    }
    all
}

/// Shows a policy after its `disableAt` as disabled.
fn disable(context: &Context<'_>, policy: &mut Value) {
    let at = policy["disableAt"].as_str().and_then(time::parse_lenient);
    if at.is_some_and(|at| context.central.clock.now_ms() >= at) {
        policy["enabled"] = json!(false);
    }
}

/// Refuses changes of a policy that the managing account locked.
pub(super) fn check_unlocked(policy: &Value) -> Result<(), ApiError> {
    if policy["lockedByManagingAccount"] == true {
        return Err(ApiError::new(409, "conflict", "The managing account locked the policy."));
    }
    Ok(())
}

/// Replaces settings of a policy by those of a request.
pub(super) fn apply_settings(policy: &mut Value, given: &Value) -> Result<(), ApiError> {
    let kind = policy["type"].as_str().unwrap_or_default().to_owned();
    for (key, value) in given.as_object().into_iter().flatten() {
        let setting = catalogue::find(&kind, key).ok_or_else(|| invalid_parameter(key))?;
        policy["settings"][setting.key] =
            if value.is_null() { setting.default_value() } else { setting.with_value(value)? };
    }
    Ok(())
}

/// Refuses targets that do not exist, and users as targets of a policy for servers.
fn check_targets(change: &mut Change<'_, '_>) -> Result<(), ApiError> {
    let central = change.context.central;
    let tenant = change.context.tenant()?;
    let targets = change.record["appliesTo"].clone();
    let is_for_servers = change.record["type"].as_str().is_some_and(|kind| kind.starts_with("server-"));
    for (name, ids) in targets.as_object().into_iter().flatten() {
        for id in ids.as_array().into_iter().flatten().filter_map(Value::as_str) {
            let exists = match name.as_str() {
                "users" | "userGroups" if is_for_servers => false,
                "users" => change.state.find(central, &directory::USERS, id).is_some(),
                "userGroups" => change.state.find(central, &directory::GROUPS, id).is_some(),
                "endpointGroups" => change.state.find(central, &groups::GROUPS, id).is_some(),
                "endpoints" => parse_uuid(id).and_then(|id| central.find_endpoint(tenant, id)).is_some(),
                _ => false,
            };
            if !exists {
                return Err(invalid_parameter("appliesTo"));
            }
        }
    }
    Ok(())
}

/// Makes room for a policy among the others of its type, and returns its priority: `wanted`,
/// or the next one. After a deletion, closes the gap.
fn arrange(change: &mut Change<'_, '_>, wanted: Option<i64>, is_deleted: bool) -> i64 {
    let (id, kind) = (change.record["id"].clone(), change.record["type"].clone());
    let policies = change.state.records(change.context.central, &POLICIES);
    let mut others: Vec<&mut Value> = policies
        .iter_mut()
        .filter(|other| other["type"] == kind && other["_isBase"] != true && other["id"] != id)
        .collect();
    others.sort_by_key(|other| other["priority"].as_i64());
    let last = i64::try_from(others.len()).unwrap_or(i64::MAX - 1) + 1;
    let own = if is_deleted { i64::MAX } else { wanted.unwrap_or(last).clamp(1, last) };
    for (priority, other) in (1..).zip(others) {
        other["priority"] = json!(if priority < own { priority } else { priority + 1 });
    }
    own
}

fn complete(change: &mut Change<'_, '_>) -> Result<(), ApiError> {
    check_targets(change)?;
    let given = change.record["settings"].take();
    let kind = change.record["type"].as_str().unwrap_or_default().to_owned();
    change.record["settings"] = catalogue::defaults(&kind);
    apply_settings(&mut change.record, &given)?;
    let wanted = change.record["priority"].as_i64();
    change.record["priority"] = json!(arrange(change, wanted, false));
    let tenant = change.context.tenant()?;
    change.record["tenant"] = json!({ "id": tenant.id_text, "name": tenant.name });
    change.record["createdBy"] = actor(change.context)?;
    change.record["updatedBy"] = actor(change.context)?;
    change.record["lockedByManagingAccount"] = json!(false);
    change.record["_isBase"] = json!(false);
    for (name, default) in [("enabled", json!(true)), ("appliesTo", json!({}))] {
        if change.record[name].is_null() {
            change.record[name] = default;
        }
    }
    Ok(())
}

fn check_update(change: &mut Change<'_, '_>) -> Result<(), ApiError> {
    let before = change.before.clone().unwrap_or_default();
    check_unlocked(&before)?;
    let is_same = |name: &&str| change.record[*name] == before[*name];
    if before["_isBase"] == true
        && !["name", "enabled", "disableAt", "appliesTo", "priority"].iter().all(is_same)
    {
        let message = "You can only change the settings of a base policy.";
        return Err(ApiError::new(409, "conflict", message));
    }
    check_targets(change)?;
    let given = std::mem::replace(&mut change.record["settings"], before["settings"].clone());
    apply_settings(&mut change.record, &given)?;
    if change.record["priority"] != before["priority"] {
        let wanted = change.record["priority"].as_i64();
        change.record["priority"] = json!(arrange(change, wanted, false));
    }
    change.record["updatedBy"] = actor(change.context)?;
    Ok(())
}

fn delete(change: &mut Change<'_, '_>) -> Result<(), ApiError> {
    check_unlocked(&change.record)?;
    if change.record["_isBase"] == true {
        return Err(ApiError::new(409, "conflict", "You can't delete a base policy."));
    }
    arrange(change, None, true);
    Ok(())
}

/// The policy in the path: a base policy by its type, another one by its id.
pub(super) fn find<'s>(
    context: &Context<'_>,
    state: &'s mut AccountState,
    is_base: bool,
) -> Result<&'s mut Value, ApiError> {
    let key = context.params.first().copied().unwrap_or_default();
    if !is_base {
        context.id()?;
    }
    let mut policies = state.records(context.central, &POLICIES).iter_mut();
    let is_it = |policy: &&mut Value| match is_base {
        true => policy["_isBase"] == true && policy["type"] == key,
        false => POLICIES.has_id(policy, key),
    };
    policies.find(is_it).ok_or_else(|| POLICIES.not_found())
}

/// Notes a change of a policy, for its members and the audit log.
pub(super) fn touch(context: &Context<'_>, policy: &mut Value) -> Result<(), ApiError> {
    policy["updatedAt"] = json!(time::format_millis(context.central.clock.now_ms()));
    policy["updatedBy"] = actor(context)?;
    context.name_object(policy);
    Ok(())
}

fn get_base(context: &Context<'_>) -> Result<ApiResponse, ApiError> {
    let policy = find(context, &mut context.state(), true)?.clone();
    Ok(ApiResponse::json(200, &verbs::show(context, &POLICIES, policy)))
}

fn update_base(context: &Context<'_>) -> Result<ApiResponse, ApiError> {
    let body = context.call.json()?;
    let mut state = context.state();
    let policy = find(context, &mut state, true)?;
    let mut changed = policy.clone();
    apply_settings(&mut changed, &body["settings"])?;
    touch(context, &mut changed)?;
    *policy = changed.clone();
    Ok(ApiResponse::json(200, &verbs::show(context, &POLICIES, changed)))
}

/// The copy has the settings of the policy, the last priority, and no targets.
fn clone(context: &Context<'_>, is_base: bool) -> Result<ApiResponse, ApiError> {
    let body = context.call.json()?;
    let name = body["name"].as_str().filter(|name| !name.trim().is_empty());
    let name = name.ok_or_else(|| invalid_parameter("name"))?;
    let mut state = context.state();
    let policy = find(context, &mut state, is_base)?.clone();
    let copy = json!({
        "name": name, "type": policy["type"], "enabled": policy["enabled"], "settings": policy["settings"],
    });
    let copy = verbs::add(context, &mut state, &POLICIES, copy)?;
    Ok(ApiResponse::json(context.success, &verbs::show(context, &POLICIES, copy)))
}
