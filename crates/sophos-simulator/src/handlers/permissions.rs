//! Roles and permission sets, which tenants and partners have alike.

use serde_json::{Value, json};

use crate::engine::{Change, Filter, Member, Seed};
use crate::response::ApiError;

pub(crate) const SUPER_ADMIN: &str = "Super Admin";

/// The types of roles and permission sets.
const TYPES: &[&str] = &["base", "custom", "predefined", "product", "setting"];
const PRINCIPALS: &[&str] = &["service", "user"];

pub(crate) const ROLE_MEMBERS: &[Member] = &[
    Member::text_up_to("name", 255).required(),
    Member::text_up_to("description", 1_000),
    Member::one_of("principalType", PRINCIPALS).required().fixed(),
    Member::list("permissionSets", &Member::text("id"), 100).required(),
];

pub(crate) const ROLE_FILTERS: &[Filter] =
    &[Filter::one_of("type", "type", TYPES), Filter::one_of("principalType", "principalType", PRINCIPALS)];

pub(crate) const SET_FILTERS: &[Filter] = &[
    Filter::one_of("type", "type", TYPES),
    Filter::one_of("principalType", "principalTypes", PRINCIPALS),
    Filter::equals("product", "products"),
    Filter::one_of("access", "access", &["admin", "helpdesk", "readOnly"]),
    Filter::boolean("allowedInCustomRole", "allowedInCustomRoles"),
];

/// The id, type, access, products and name of each permission set.
const SETS: &[(&str, &str, &str, &str, &str)] = &[
    ("central_super_admin", "base", "admin", "", "Super Admin"),
    ("central_admin", "base", "admin", "", "Admin"),
    ("central_helpdesk", "base", "helpdesk", "", "Help Desk"),
    ("central_read_only", "base", "readOnly", "", "Read-only"),
    ("endpoint_product_admin", "product", "admin", "endpoint", "Endpoint Admin"),
    ("server_product_admin", "product", "admin", "server", "Server Admin"),
    ("email_product_helpdesk", "product", "helpdesk", "emailGateway", "Email Help Desk"),
    ("firewall_product_read_only", "product", "readOnly", "firewall", "Firewall Read-only"),
    ("settings_admin", "setting", "admin", "", "Settings"),
];

pub(crate) fn seed_sets(_: &mut Seed<'_>) -> Vec<Value> {
    let set = |&(id, kind, access, product, name): &(&str, &str, &str, &str, &str)| {
        let mut set = json!({
            "id": id, "name": name, "type": kind, "access": access,
            "description": format!("Permissions of {name}."),
            "principalTypes": ["user", "service"],
            "allowedInCustomRoles": id != "central_super_admin",
        });
        if !product.is_empty() {
            set["products"] = json!([product]);
        }
        set
    };
    SETS.iter().map(set).collect()
}

pub(crate) fn seed_roles(seed: &mut Seed<'_>) -> Vec<Value> {
    let predefined = [
        (SUPER_ADMIN, "user", "central_super_admin"),
        ("Admin", "user", "central_admin"),
        ("Help Desk", "user", "central_helpdesk"),
        ("Read-only", "user", "central_read_only"),
        ("Service Principal Super Admin", "service", "central_super_admin"),
        ("Service Principal Management", "service", "central_admin"),
        ("Service Principal Read-Only", "service", "central_read_only"),
    ];
    let role = |(name, principal, set): &(&str, &str, &str)| {
        let at = seed.past(0);
        json!({
            "name": name, "description": format!("The predefined role {name}."), "type": "predefined",
            "principalType": principal, "permissionSets": [set], "createdAt": at, "updatedAt": at,
        })
    };
    predefined.iter().map(role).collect()
}

pub(crate) fn complete_role(change: &mut Change<'_, '_>) -> Result<(), ApiError> {
    change.record["type"] = json!("custom");
    check_sets(change)
}

/// Rejects unknown permission sets, and those that a custom role may not have.
fn check_sets(change: &mut Change<'_, '_>) -> Result<(), ApiError> {
    let known = |id: &Value| SETS.iter().any(|set| id == set.0 && set.0 != SETS[0].0);
    let sets = change.record["permissionSets"].as_array();
    if sets.is_some_and(|sets| !sets.is_empty() && sets.iter().all(known)) {
        Ok(())
    } else {
        Err(crate::call::invalid_parameter("permissionSets"))
    }
}

pub(crate) fn check_custom(change: &mut Change<'_, '_>) -> Result<(), ApiError> {
    if change.record["type"] == "predefined" {
        return Err(ApiError::new(403, "forbidden", "Predefined roles can't be changed."));
    }
    check_sets(change)
}

/// The 409 of a role that an administrator of `admins` has.
pub(crate) fn check_unused(record: &Value, admins: &[Value]) -> Result<(), ApiError> {
    if record["type"] == "predefined" {
        return Err(ApiError::new(403, "forbidden", "Predefined roles can't be deleted."));
    }
    let id = &record["id"];
    let has = |admin: &Value| crate::engine::filter::values_at(admin, "roleAssignments.roleId").contains(&id);
    if admins.iter().any(has) {
        return Err(ApiError::new(409, "conflict", "You can't delete a role assigned to an admin."));
    }
    Ok(())
}

pub(crate) const ROLE_CONFLICT: &str = "Role name already in use or is a pre-defined role name.";
