//! Users of a tenant's directory: `/common/v1/directory/users`.

use crate::{
    NumberedPage, Timestamp,
    models::{
        Deleted, Reference,
        macros::{model, open_enum},
    },
    operation::macros::{listed, operation},
    operations::common::user_groups::{
        DirectorySource, DirectorySourceType, MemberPreview, Removed, UserGroup, UserGroupSearchField,
    },
};

operation! {
    /// Lists the users of the directory.
    pub struct ListUsers = GET "/common/v1/directory/users" (tenant) -> NumberedPage<User> {
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
        /// The fields to search in; the full name if empty.
        search_fields: [UserSearchField],
        /// The source to match.
        source_type: DirectorySourceType,
        /// The id of a group; only its members match.
        group_id: String,
        /// The directory domain to match.
        domain: String,
    }
}

operation! {
    /// Creates a user in the directory.
    ///
    /// Fails with 409 if the email address is in use or a group is synchronized from Active
    /// Directory, and with 404 if a group does not exist.
    pub struct CreateUser = POST "/common/v1/directory/users" (tenant) -> User {
        /// The full name of a user, or the name of a group.
        name!: String,
        /// The fields to return; all if empty.
        query fields: [String],
        /// The first name.
        first_name: String,
        /// The last name.
        last_name: String,
        /// The email address.
        email: String,
        /// The login name in Microsoft Exchange.
        exchange_login: String,
        /// The ids of the user's groups.
        group_ids: [String],
    }
}

operation! {
    /// Deletes a user; succeeds as well if the user does not exist.
    ///
    /// Fails with 409 if the user is synchronized from Active Directory.
    pub struct DeleteUser = DELETE "/common/v1/directory/users/:userId" (tenant) -> Deleted {
        /// The user's id.
        user_id!: String,
    }
}

operation! {
    /// Returns a user.
    pub struct GetUser = GET "/common/v1/directory/users/:userId" (tenant) -> User {
        /// The user's id.
        user_id!: String,
        /// The fields to return; all if empty.
        fields: [String],
    }
}

operation! {
    /// Changes a user.
    ///
    /// Fails with 409 if the email address is in use, or is removed from an administrator who signs
    /// in with it, or the user is synchronized from Active Directory.
    pub struct UpdateUser = PATCH "/common/v1/directory/users/:userId" (tenant) -> User {
        /// The user's id.
        user_id!: String,
        /// The fields to return; all if empty.
        query fields: [String],
        /// The full name of a user, or the name of a group.
        name: String,
        /// The first name.
        first_name: String,
        /// The last name.
        last_name: String,
        /// The email address.
        email: String,
        /// The login name in Microsoft Exchange.
        exchange_login: String,
    }
}

operation! {
    /// Removes a user from several groups.
    ///
    /// Succeeds although some groups do not exist; the response lists them.
    pub struct RemoveUserFromGroups = DELETE "/common/v1/directory/users/:userId/groups" (tenant)
        -> RemovedFromGroups {
        /// The user's id.
        user_id!: String,
        /// The ids of the groups.
        ids!: [String],
    }
}

operation! {
    /// Lists the groups of a user.
    pub struct ListGroupsOfUser = GET "/common/v1/directory/users/:userId/groups" (tenant)
        -> NumberedPage<UserGroup> {
        /// The user's id.
        user_id!: String,
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
        /// The fields to search in; the name if empty.
        search_fields: [UserGroupSearchField],
        /// The source to match.
        source_type: DirectorySourceType,
        /// The directory domain to match.
        domain: String,
    }
}

operation! {
    /// Adds a user to several groups.
    ///
    /// Fails with 404 if the user or a group does not exist, and with 409 for a user or group that
    /// is synchronized from Active Directory.
    pub struct AddUserToGroups = POST "/common/v1/directory/users/:userId/groups" (tenant) -> AddedToGroups {
        /// The user's id.
        user_id!: String,
        /// The ids of the groups.
        ids!: [String],
    }
}

operation! {
    /// Removes a user from one group, by the path of the user.
    ///
    /// Fails with 409 if the user is synchronized from Active Directory.
    pub struct RemoveGroupFromUser = DELETE "/common/v1/directory/users/:userId/groups/:groupId" (tenant)
        -> Removed {
        /// The user's id.
        user_id!: String,
        /// The group's id.
        group_id!: String,
    }
}

model! {
    /// A user of the directory. Optional names and addresses are often missing.
    pub struct User {
        /// The user's id.
        id as id: String,
        /// The full name of a user, or the name of a group.
        name: String,
        /// The source of the object.
        source: DirectorySource,
        /// The tenant.
        tenant: Reference,
        /// The first name.
        first_name: String,
        /// The last name.
        last_name: String,
        /// The email address.
        email: String,
        /// The login name in Microsoft Exchange.
        exchange_login: String,
        /// The groups of the user, possibly not all.
        groups: MemberPreview,
        /// The time of creation.
        created_at: Timestamp,
        /// The time of the last change.
        updated_at: Timestamp,
        /// The directory domain.
        domain: String,
    }
}

model! {
    /// The groups that the user was removed from.
    pub struct RemovedFromGroups {
        /// Whether the user was removed.
        removed: bool,
        /// The groups that no longer hold the user.
        removed_from_groups: Vec<Reference>,
        /// The failures.
        errors: RemovedFromGroupErrors,
    }
}

model! {
    /// The groups that the user was not removed from.
    pub struct RemovedFromGroupErrors {
        /// The ids of groups that do not exist.
        groups_not_found: Vec<String>,
    }
}

model! {
    /// The groups that the user was added to.
    pub struct AddedToGroups {
        /// The groups that now hold the user.
        added_to_groups: Vec<Reference>,
    }
}

open_enum! {
    /// A field that a search of users covers.
    pub enum UserSearchField {
        /// Name.
        Name = "name",
        /// First name.
        FirstName = "firstName",
        /// Last name.
        LastName = "lastName",
        /// Email.
        Email = "email",
        /// Exchange login.
        ExchangeLogin = "exchangeLogin",
    }
}

listed! {
    ListUsers
    CreateUser
    DeleteUser
    GetUser
    UpdateUser
    RemoveUserFromGroups
    ListGroupsOfUser
    AddUserToGroups
    RemoveGroupFromUser
}
