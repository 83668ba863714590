//! Users and user groups of a tenant's directory.

use crate::verb::{Noun, Param, Verb, op};

const SOURCES: &[&str] = &["custom", "activeDirectory", "azureActiveDirectory"];

pub(crate) const USERS: Noun = Noun {
    name: "users",
    about: "Users of a tenant's directory",
    object: "user",
    columns: &["name", "email", "login=/exchangeLogin", "source=/source/type", "groups=/groups/total", "id"],
    verbs: &[
        Verb::list("list", "Lists users", &[op!(common::users::ListUsers)])
            .fixed(&[("pageTotal", "true")])
            .params(&[
                Param::text("search", "The text to search for"),
                Param::choices(
                    "search-fields",
                    "The fields to search",
                    &["name", "firstName", "lastName", "email", "exchangeLogin"],
                ),
                Param::choice("source-type", "The source", SOURCES),
                Param::text("group-id", "The id of a group"),
                Param::text("domain", "The directory domain"),
                Param::list("ids", "The ids"),
                Param::list("sort", "The order, such as name:asc"),
            ]),
        Verb::get("get", "Shows a user", &[op!(common::users::GetUser)]),
        Verb::change("create", "Creates a user", "create", &[op!(common::users::CreateUser)])
            .params(&[
                Param::text("name", "The full name").required(),
                Param::text("first-name", "The first name"),
                Param::text("last-name", "The last name"),
                Param::text("email", "The email address"),
                Param::text("exchange-login", "The login"),
                Param::list("group-ids", "The ids of groups"),
            ])
            .examples(&["users create --name 'Kim Lee' --email kim@acme.example"]),
        Verb::change("update", "Changes a user", "update", &[op!(common::users::UpdateUser)]).params(&[
            Param::text("name", "The full name"),
            Param::text("first-name", "The first name"),
            Param::text("last-name", "The last name"),
            Param::text("email", "The email address"),
            Param::text("exchange-login", "The login"),
        ]),
        Verb::change("delete", "Deletes users", "delete", &[op!(common::users::DeleteUser)]),
        Verb::list("groups", "Lists the groups of a user", &[op!(common::users::ListGroupsOfUser)])
            .object("group")
            .columns(&["name", "id"]),
        Verb::change(
            "add-to-groups",
            "Adds a user to groups",
            "add groups to",
            &[op!(common::users::AddUserToGroups)],
        )
        .params(&[Param::list("ids", "The ids of the groups").required()]),
        Verb::change(
            "remove-from-groups",
            "Removes a user from groups",
            "remove groups from",
            &[op!(common::users::RemoveUserFromGroups)],
        )
        .params(&[Param::list("ids", "The ids of the groups").required()]),
    ],
};

pub(crate) const USER_GROUPS: Noun = Noun {
    name: "user-groups",
    about: "User groups of a tenant's directory",
    object: "user group",
    columns: &["name", "description", "source=/source/type", "users=/users/total", "id"],
    verbs: &[
        Verb::list("list", "Lists user groups", &[op!(common::user_groups::ListUserGroups)])
            .fixed(&[("pageTotal", "true")])
            .params(&[
                Param::text("search", "The text to search for"),
                Param::choice("source-type", "The source", SOURCES),
                Param::text("user-id", "The id of a member"),
            ]),
        Verb::get("get", "Shows a user group", &[op!(common::user_groups::GetUserGroup)]),
        Verb::change(
            "create",
            "Creates a user group",
            "create",
            &[op!(common::user_groups::CreateUserGroup)],
        )
        .params(&[
            Param::text("name", "The name").required(),
            Param::text("description", "The description"),
            Param::list("user-ids", "The ids of the members"),
        ]),
        Verb::change(
            "update",
            "Changes a user group",
            "update",
            &[op!(common::user_groups::UpdateUserGroup)],
        )
        .params(&[Param::text("name", "The name"), Param::text("description", "The description")]),
        Verb::change("delete", "Deletes user groups", "delete", &[op!(common::user_groups::DeleteUserGroup)]),
        Verb::list("users", "Lists the users of a group", &[op!(common::user_groups::ListUsersOfGroup)])
            .object("user")
            .columns(&["name", "email", "id"]),
        Verb::change(
            "add",
            "Adds users to a group",
            "add users to",
            &[op!(common::user_groups::AddUsersToGroup)],
        )
        .params(&[Param::list("ids", "The ids of the users").required()]),
        Verb::change(
            "remove",
            "Removes users from a group",
            "remove users from",
            &[op!(common::user_groups::RemoveUsersFromGroup)],
        )
        .params(&[Param::list("ids", "The ids of the users").required()]),
    ],
};
