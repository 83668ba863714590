//! User groups of a tenant's directory: `/common/v1/directory/user-groups`.

use crate::{
    NumberedPage, Timestamp,
    models::{
        Deleted, Reference,
        macros::{model, open_enum},
    },
    operation::macros::{listed, operation},
    operations::common::users::{User, UserSearchField},
};

operation! {
    /// Lists the user groups of the directory.
    pub struct ListUserGroups = GET "/common/v1/directory/user-groups" (tenant) -> NumberedPage<UserGroup> {
        /// The order, such as `name:asc`.
        sort: [String],
        /// The fields to return; all if empty.
        fields: [String],
        /// The page number, from 1.
        page: u64,
        /// Whether the response holds the number of pages and items.
        page_total: bool,
        /// The number of items per page.
        page_size: u32,
        /// The ids to match.
        ids: [String],
        /// The text to search for.
        search: String,
        /// The fields to search in; the name if empty.
        search_fields: [UserGroupSearchField],
        /// The source to match.
        source_type: DirectorySourceType,
        /// The id of a user; only groups with that member match.
        user_id: String,
        /// The directory domain to match.
        domain: String,
    }
}

operation! {
    /// Creates a user group.
    ///
    /// Fails with 409 if the name is in use, and with 404 if a user does not exist.
    pub struct CreateUserGroup = POST "/common/v1/directory/user-groups" (tenant) -> UserGroup {
        /// The full name of a user, or the name of a group.
        name!: String,
        /// The fields to return; all if empty.
        query fields: [String],
        /// The description.
        description: String,
        /// The ids of the first members.
        user_ids: [String],
    }
}

operation! {
    /// Deletes a user group.
    ///
    /// Fails with 409 if the group has members or is synchronized from Active Directory.
    pub struct DeleteUserGroup = DELETE "/common/v1/directory/user-groups/:groupId" (tenant) -> Deleted {
        /// The group's id.
        group_id!: String,
    }
}

operation! {
    /// Returns a user group.
    pub struct GetUserGroup = GET "/common/v1/directory/user-groups/:groupId" (tenant) -> UserGroup {
        /// The group's id.
        group_id!: String,
        /// The fields to return; all if empty.
        fields: [String],
    }
}

operation! {
    /// Changes the name or the description of a user group.
    ///
    /// Fails with 409 if the name is in use or the group is synchronized from Active Directory.
    pub struct UpdateUserGroup = PATCH "/common/v1/directory/user-groups/:groupId" (tenant) -> UserGroup {
        /// The group's id.
        group_id!: String,
        /// The fields to return; all if empty.
        query fields: [String],
        /// The full name of a user, or the name of a group.
        name: String,
        /// The description.
        description: String,
    }
}

operation! {
    /// Removes users from a group.
    ///
    /// Succeeds although some users do not exist; the response lists them.
    pub struct RemoveUsersFromGroup = DELETE "/common/v1/directory/user-groups/:groupId/users" (tenant)
        -> RemovedUsers {
        /// The group's id.
        group_id!: String,
        /// The ids of the users.
        ids!: [String],
    }
}

operation! {
    /// Lists the users of a group.
    pub struct ListUsersOfGroup = GET "/common/v1/directory/user-groups/:groupId/users" (tenant)
        -> NumberedPage<User> {
        /// The group's id.
        group_id!: String,
        /// The order, such as `name:asc`.
        sort: [String],
        /// The fields to return; all if empty.
        fields: [String],
        /// The page number, from 1.
        page: u64,
        /// Whether the response holds the number of pages and items.
        page_total: bool,
        /// The number of items per page.
        page_size: u32,
        /// The text to search for.
        search: String,
        /// The fields to search in; the full name if empty.
        search_fields: [UserSearchField],
        /// The source to match.
        source_type: DirectorySourceType,
        /// The directory domain to match.
        domain: String,
    }
}

operation! {
    /// Adds users to a group.
    ///
    /// Fails with 404 if the group or a user does not exist, and with 409 for a group or user that
    /// is synchronized from Active Directory.
    pub struct AddUsersToGroup = POST "/common/v1/directory/user-groups/:groupId/users" (tenant)
        -> AddedUsers {
        /// The group's id.
        group_id!: String,
        /// The ids of the users.
        ids!: [String],
    }
}

operation! {
    /// Removes one user from a group.
    ///
    /// Fails with 409 if the group is synchronized from Active Directory.
    pub struct RemoveUserFromGroup = DELETE "/common/v1/directory/user-groups/:groupId/users/:userId" (tenant)
        -> Removed {
        /// The group's id.
        group_id!: String,
        /// The user's id.
        user_id!: String,
    }
}

model! {
    /// A user group of the directory.
    pub struct UserGroup {
        /// The group's id.
        id as id: String,
        /// The full name of a user, or the name of a group.
        name: String,
        /// The source of the object.
        source: DirectorySource,
        /// The tenant.
        tenant: Reference,
        /// The description.
        description: String,
        /// The members, possibly not all.
        users: MemberPreview,
        /// The time of creation.
        created_at: Timestamp,
        /// The time of the last change.
        updated_at: Timestamp,
        /// The directory domain.
        domain: String,
    }
}

model! {
    /// The source of a user or group.
    pub struct DirectorySource {
        /// The kind of source.
        r#type: DirectorySourceType,
    }
}

model! {
    /// The first members of a group, or groups of a user.
    pub struct MemberPreview {
        /// The number of all items.
        total: i64,
        /// The number of listed items.
        items_count: i64,
        /// The listed members.
        items: Vec<Reference>,
    }
}

model! {
    /// The users that were removed from a group.
    pub struct RemovedUsers {
        /// The removed users.
        removed_users: Vec<Reference>,
        /// The failures.
        errors: RemovedUserErrors,
    }
}

model! {
    /// The users that were not removed.
    pub struct RemovedUserErrors {
        /// The ids of users that do not exist.
        users_not_found: Vec<String>,
    }
}

model! {
    /// The users that were added to a group.
    pub struct AddedUsers {
        /// The added users.
        added_users: Vec<Reference>,
    }
}

model! {
    /// The result of a removal.
    pub struct Removed {
        /// Whether the user was removed.
        removed: bool,
    }
}

open_enum! {
    /// The kind of a directory.
    pub enum DirectorySourceType {
        /// Active Directory.
        ActiveDirectory = "activeDirectory",
        /// Microsoft Entra ID, once Azure Active Directory.
        AzureActiveDirectory = "azureActiveDirectory",
        /// Created in Sophos Central.
        Custom = "custom",
    }
}

open_enum! {
    /// A field that a search of user groups covers.
    pub enum UserGroupSearchField {
        /// Name.
        Name = "name",
        /// Description.
        Description = "description",
    }
}

listed! {
    ListUserGroups
    CreateUserGroup
    DeleteUserGroup
    GetUserGroup
    UpdateUserGroup
    RemoveUsersFromGroup
    ListUsersOfGroup
    AddUsersToGroup
    RemoveUserFromGroup
}
