//! Administrators, roles and permission sets of a tenant.

use serde_json::{Value, json};

use crate::engine::collection::{IdKind, Parent};
use crate::engine::filter::values_at;
use crate::engine::{Change, Collection, Filter, Member, Paging, Seed};
use crate::handlers::directory::USERS;
use crate::handlers::permissions as roles;
use crate::response::ApiError;
use crate::routes::Route;

const ASSIGNMENT: &[Member] = &[Member::uuid("roleId").required()];

pub(crate) static ADMINS: Collection = Collection {
    members: &[
        Member::uuid("userId").required(),
        Member::list("roleAssignments", &Member::object("assignment", ASSIGNMENT), 1).required(),
    ],
    has_tenant: true,
    filters: &[Filter::equals("roleId", "roleAssignments.roleId")],
    searched: &["profile.email", "profile.name", "username"],
    unique: &["profile.email"],
    conflict: "The user is already an admin.",
    seed: seed_admins,
    on_create: complete_admin,
    on_delete: check_other_super_admin,
    ..Collection::new("admins", "admin")
};

static ASSIGNMENTS: Collection = Collection {
    parent: Some(Parent { collection: &ADMINS, member: "roleAssignments" }),
    members: ASSIGNMENT,
    paging: Paging::None,
    has_times: false,
    on_create: replace_assignment,
    on_delete: check_other_super_admin,
    ..Collection::new("admin_role_assignments", "assignment")
};

static ROLES: Collection = Collection {
    paging: Paging::None,
    members: roles::ROLE_MEMBERS,
    filters: roles::ROLE_FILTERS,
    unique: &["name"],
    conflict: roles::ROLE_CONFLICT,
    may_delete_unknown: true,
    seed: roles::seed_roles,
    on_create: roles::complete_role,
    on_update: roles::check_custom,
    on_delete: |change| {
        let admins = change.state.records(change.context.central, &ADMINS);
        roles::check_unused(&change.record, admins)
    },
    ..Collection::new("roles", "role")
};

static PERMISSION_SETS: Collection = Collection {
    id_kind: IdKind::Text,
    paging: Paging::None,
    filters: roles::SET_FILTERS,
    seed: roles::seed_sets,
    ..Collection::new("permission_sets", "permission set")
};

pub(crate) static ROUTES: &[Route] = &[
    Route::list("admins.list", "/common/v1/admins", &ADMINS),
    Route::create("admins.create", "/common/v1/admins", &ADMINS),
    Route::get("admins.get", "/common/v1/admins/:adminId", &ADMINS),
    Route::delete("admins.delete", "/common/v1/admins/:adminId", &ADMINS),
    Route::list("admins.role_assignments", "/common/v1/admins/:adminId/role-assignments", &ASSIGNMENTS),
    Route::create("admins.assign_role", "/common/v1/admins/:adminId/role-assignments", &ASSIGNMENTS),
    Route::get(
        "admins.role_assignment",
        "/common/v1/admins/:adminId/role-assignments/:assignmentId",
        &ASSIGNMENTS,
    ),
    Route::delete(
        "admins.remove_role",
        "/common/v1/admins/:adminId/role-assignments/:assignmentId",
        &ASSIGNMENTS,
    ),
    Route::list("roles.list", "/common/v1/roles", &ROLES),
    Route::create("roles.create", "/common/v1/roles", &ROLES),
    Route::list("roles.permission_sets", "/common/v1/roles/permission-sets", &PERMISSION_SETS),
    Route::get("roles.get", "/common/v1/roles/:roleId", &ROLES),
    Route::update("roles.update", "/common/v1/roles/:roleId", &ROLES),
    Route::delete("roles.delete", "/common/v1/roles/:roleId", &ROLES),
];

fn seed_admins(seed: &mut Seed<'_>) -> Vec<Value> {
    let tenant = seed.tenant_ref();
    let admin = |number: usize| {
        let person = seed.person(number);
        let at = seed.past(300);
        json!({
            "tenant": tenant,
            "username": person.email,
            "users": [{ "id": seed.id("users", number as u64), "name": person.name }],
            "profile": {
                "name": person.name, "firstName": person.first, "lastName": person.last,
                "email": person.email,
            },
            // The first role is Super Admin.
            "roleAssignments": [{ "id": seed.uuid(), "roleId": seed.id("roles", number as u64) }],
            "createdAt": at, "updatedAt": at,
        })
    };
    (0..3).map(admin).collect()
}

/// The role with this id, if an administrator may have it.
fn check_role(change: &mut Change<'_, '_>, id: &Value) -> Result<(), ApiError> {
    let role = change.state.find(change.context.central, &ROLES, id.as_str().unwrap_or_default());
    match role {
        Some(role) if role["principalType"] == "user" => Ok(()),
        Some(_) => Err(crate::call::invalid_parameter("roleId")),
        None => Err(ROLES.not_found()),
    }
}

fn complete_admin(change: &mut Change<'_, '_>) -> Result<(), ApiError> {
    let central = change.context.central;
    let user_id = change.record["userId"].take();
    let user = change.state.find(central, &USERS, user_id.as_str().unwrap_or_default());
    let user = user.ok_or_else(|| USERS.not_found())?.clone();
    for role in values_at(&change.record.clone(), "roleAssignments.roleId") {
        check_role(change, role)?;
    }
    if change.record["roleAssignments"].as_array().is_none_or(Vec::is_empty) {
        return Err(crate::call::invalid_parameter("roleAssignments"));
    }
    let admins = change.state.records(central, &ADMINS);
    if admins.iter().any(|admin| values_at(admin, "users.id").contains(&&user["id"])) {
        return Err(ApiError::new(409, "conflict", ADMINS.conflict));
    }
    for assignment in change.record["roleAssignments"].as_array_mut().into_iter().flatten() {
        assignment["id"] = json!(crate::hash::uuid_text(central.new_rng().uuid()));
    }
    if let Some(members) = change.record.as_object_mut() {
        members.remove("userId");
    }
    change.record["users"] = json!([{ "id": user["id"], "name": user["name"] }]);
    let mut profile = json!({});
    for name in ["name", "firstName", "lastName", "email"] {
        if !user[name].is_null() {
            profile[name] = user[name].clone();
        }
    }
    change.record["username"] = user["email"].clone();
    change.record["profile"] = profile;
    Ok(())
}

/// A tenant's administrator has one role: a new assignment overrides the existing one.
fn replace_assignment(change: &mut Change<'_, '_>) -> Result<(), ApiError> {
    let role = change.record["roleId"].clone();
    check_role(change, &role)?;
    let id = change.context.params.first().copied().unwrap_or_default();
    let central = change.context.central;
    let is_super = change.state.find(central, &ROLES, role.as_str().unwrap_or_default());
    if is_super.is_none_or(|role| role["name"] != roles::SUPER_ADMIN) {
        check_other_super_admin(change)?;
    }
    if let Some(admin) = change.state.find(central, &ADMINS, id) {
        admin["roleAssignments"] = json!([]);
    }
    Ok(())
}

/// Refuses to take the role from the administrator in the path if it is the last Super Admin.
fn check_other_super_admin(change: &mut Change<'_, '_>) -> Result<(), ApiError> {
    let id = change.context.params.first().copied().unwrap_or_default();
    let central = change.context.central;
    let all = change.state.records(central, &ROLES);
    let role = all.iter().find(|role| role["name"] == roles::SUPER_ADMIN).map(|role| role["id"].clone());
    let role = role.unwrap_or_default();
    let admins = change.state.records(central, &ADMINS);
    let holds = |admin: &&Value| values_at(admin, "roleAssignments.roleId").contains(&&role);
    let supers: Vec<&Value> = admins.iter().filter(holds).collect();
    match supers.as_slice() {
        [last] if ADMINS.has_id(last, id) => {
            Err(ApiError::new(409, "conflict", "Can't remove last Super admin."))
        }
        _ => Ok(()),
    }
}
