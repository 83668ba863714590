//! Administrators and roles, of a partner or of a tenant.

use crate::verb::{Noun, Param, Verb, op};

const PRINCIPALS: &[&str] = &["service", "user"];

pub(crate) const ADMINS: Noun = Noun {
    name: "admins",
    about: "Administrators of a partner, or of a tenant with --tenant",
    object: "administrator",
    columns: &["name=/profile/name", "username", "email=/profile/email", "id"],
    verbs: &[
        Verb::list("list", "Lists the administrators", &[op!(common::admins::ListAdmins), op!(partner::admins::ListAdmins)])
            .fixed(&[("pageTotal", "true")])
            .params(&[
                Param::text("search", "The text to search for"),
                Param::text("role-id", "The id of a role"),
                Param::list("sort", "The order, such as name:asc"),
            ])
            .examples(&["admins list", "admins list --tenant Acme --search kim"]),
        Verb::get("get", "Shows an administrator", &[op!(common::admins::GetAdmin), op!(partner::admins::GetAdmin)]),
        Verb::change("create", "Creates an administrator", "create", &[op!(common::admins::CreateAdmin), op!(partner::admins::CreateAdmin)])
            .params(&[
                Param::text("username", "The username at a partner"),
                Param::text("user-id", "The id of the directory user of a tenant"),
                Param::text("first-name", "The first name").field("profile/firstName"),
                Param::text("last-name", "The last name").field("profile/lastName"),
                Param::json("role-assignments", "The roles, such as [{\"roleId\":\"…\"}]").required(),
            ])
            .examples(&[
                "admins create --tenant Acme --user-id 91c0… --role-assignments '[{\"roleId\":\"7f2e…\"}]'",
                "admins create --username kim@msp.example --first-name Kim --last-name Lee --role-assignments @roles.json",
            ]),
        Verb::change("delete", "Removes administrators of a tenant", "remove", &[op!(common::admins::DeleteAdmin)])
            .examples(&["admins delete 0e5a… --tenant Acme"]),
        Verb::list("roles", "Lists the roles of an administrator", &[op!(common::admins::ListRoleAssignments), op!(partner::admins::ListRoleAssignments)]).object("role")
            .columns(&["id", "role=/roleId", "scope=/scope/type"]),
        Verb::change("update", "Assigns a role to an administrator", "update", &[op!(common::admins::AssignRole), op!(partner::admins::AssignRole)])
            .params(&[
                Param::text("role-id", "The id of the role").required(),
                Param::json("scope", "The scope at a partner, such as {\"type\":\"allManagedTenants\"}"),
            ])
            .examples(&["admins update 0e5a… --tenant Acme --role-id 7f2e…"]),
        Verb::change("remove-role", "Removes a role of an administrator", "remove", &[op!(common::admins::RemoveRoleAssignment), op!(partner::admins::RemoveRoleAssignment)]).object("role assignment"),
    ],
};

pub(crate) const ROLES: Noun = Noun {
    name: "roles",
    about: "Roles of a partner, or of a tenant with --tenant",
    object: "role",
    columns: &["name", "type", "principal=/principalType", "id"],
    verbs: &[
        Verb::list("list", "Lists the roles", &[op!(common::roles::ListRoles), op!(partner::roles::ListRoles)])
            .params(&[
                Param::choice("type", "The origin", &["predefined", "custom"]),
                Param::choice("principal-type", "The holder", PRINCIPALS),
            ])
            .examples(&["roles list", "roles list --tenant Acme --type custom"]),
        Verb::get("get", "Shows a role", &[op!(common::roles::GetRole), op!(partner::roles::GetRole)]),
        Verb::change("create", "Creates a role", "create", &[op!(common::roles::CreateRole), op!(partner::roles::CreateRole)])
            .params(&[
                Param::text("name", "The name").required(),
                Param::choice("principal-type", "The holder", PRINCIPALS).required(),
                Param::list("permission-sets", "The permission sets, such as central_admin").required(),
                Param::text("description", "The description"),
            ])
            .examples(&["roles create --tenant Acme --name Auditors --principal-type user --permission-sets central_read_only"]),
        Verb::change("update", "Changes a role", "update", &[op!(common::roles::UpdateRole), op!(partner::roles::UpdateRole)])
            .params(&[
                Param::text("name", "The name"),
                Param::text("description", "The description"),
                Param::list("permission-sets", "The permission sets"),
            ]),
        Verb::change("delete", "Deletes roles", "delete", &[op!(common::roles::DeleteRole), op!(partner::roles::DeleteRole)]),
        Verb::list("permission-sets", "Lists the permission sets", &[op!(common::roles::ListPermissionSets), op!(partner::roles::ListPermissionSets)])
            .object("permission set")
            .columns(&["id", "name", "type", "access", "products"])
            .params(&[Param::choice("principal-type", "The holder", PRINCIPALS), Param::text("type", "The type, such as base or product")]),
    ],
};
