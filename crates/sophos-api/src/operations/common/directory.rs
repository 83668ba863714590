//! Directory Management: `/common/v1/directory/user-groups` and the operations beside it.

use crate::{NumberedPage, Timestamp, models::{Deleted, Reference}, model::{model, open_enum}, operation_macro::{operation, tested}};

model! {
    /// An user group.
    pub struct UserGroup {
        /// The id.
        id as id: String,
        /// The name.
        name: String,
        /// The source.
        source: UserGroupSource,
        /// The tenant.
        tenant: Reference,
        /// The description.
        description: String,
        /// The users.
        users: UserGroupUser,
        /// The time of creation.
        created_at: Timestamp,
        /// The time of the last change.
        updated_at: Timestamp,
        /// The domain.
        domain: String,
        /// The total.
        total: i64,
        /// The items count.
        items_count: i64,
        /// The items.
        items: Vec<Reference>,
    }
}

model! {
    /// An user group source.
    pub struct UserGroupSource {
        /// The type.
        r#type: UserGroupSourceType,
    }
}

model! {
    /// An user group user.
    pub struct UserGroupUser {
        /// The total.
        total: i64,
        /// The items count.
        items_count: i64,
        /// The items.
        items: Vec<Reference>,
    }
}

model! {
    /// An users from group.
    pub struct UsersFromGroup {
        /// The removed users.
        removed_users: Vec<Reference>,
        /// The errors.
        errors: UsersFromGroupError,
    }
}

model! {
    /// An users from group error.
    pub struct UsersFromGroupError {
        /// The users not found.
        users_not_found: Vec<String>,
    }
}

model! {
    /// An users of group.
    pub struct UsersOfGroup {
        /// The id.
        id as id: String,
        /// The name.
        name: String,
        /// The source.
        source: UsersOfGroupSource,
        /// The tenant.
        tenant: Reference,
        /// The first name.
        first_name: String,
        /// The last name.
        last_name: String,
        /// The email.
        email: String,
        /// The exchange login.
        exchange_login: String,
        /// The groups.
        groups: UsersOfGroupGroup,
        /// The time of creation.
        created_at: Timestamp,
        /// The time of the last change.
        updated_at: Timestamp,
        /// The domain.
        domain: String,
    }
}

model! {
    /// An users of group source.
    pub struct UsersOfGroupSource {
        /// The type.
        r#type: UsersOfGroupSourceType,
    }
}

model! {
    /// An users of group group.
    pub struct UsersOfGroupGroup {
        /// The total.
        total: i64,
        /// The items count.
        items_count: i64,
        /// The items.
        items: Vec<Reference>,
    }
}

model! {
    /// An users to group.
    pub struct UsersToGroup {
        /// The added users.
        added_users: Vec<Reference>,
    }
}

model! {
    /// An user from group.
    pub struct UserFromGroup {
        /// Whether `removed` is set.
        removed: bool,
        /// The removed from groups.
        removed_from_groups: Vec<Reference>,
        /// The errors.
        errors: UserFromGroupError,
    }
}

model! {
    /// An user.
    pub struct User {
        /// The id.
        id as id: String,
        /// The name.
        name: String,
        /// The source.
        source: UserSource,
        /// The tenant.
        tenant: Reference,
        /// The first name.
        first_name: String,
        /// The last name.
        last_name: String,
        /// The email.
        email: String,
        /// The exchange login.
        exchange_login: String,
        /// The groups.
        groups: UserGroup,
        /// The time of creation.
        created_at: Timestamp,
        /// The time of the last change.
        updated_at: Timestamp,
        /// The domain.
        domain: String,
    }
}

model! {
    /// An user source.
    pub struct UserSource {
        /// The type.
        r#type: UserSourceType,
    }
}

model! {
    /// An user from group error.
    pub struct UserFromGroupError {
        /// The groups not found.
        groups_not_found: Vec<String>,
    }
}

model! {
    /// A groups of user.
    pub struct GroupsOfUser {
        /// The id.
        id as id: String,
        /// The name.
        name: String,
        /// The source.
        source: GroupsOfUserSource,
        /// The tenant.
        tenant: Reference,
        /// The description.
        description: String,
        /// The users.
        users: GroupsOfUserUser,
        /// The time of creation.
        created_at: Timestamp,
        /// The time of the last change.
        updated_at: Timestamp,
        /// The domain.
        domain: String,
    }
}

model! {
    /// A groups of user source.
    pub struct GroupsOfUserSource {
        /// The type.
        r#type: GroupsOfUserSourceType,
    }
}

model! {
    /// A groups of user user.
    pub struct GroupsOfUserUser {
        /// The total.
        total: i64,
        /// The items count.
        items_count: i64,
        /// The items.
        items: Vec<Reference>,
    }
}

model! {
    /// An user to group.
    pub struct UserToGroup {
        /// The added to groups.
        added_to_groups: Vec<Reference>,
    }
}

model! {
    /// A group from user.
    pub struct GroupFromUser {
        /// Whether `removed` is set.
        removed: bool,
    }
}

open_enum! {
    /// The user group source type.
    pub enum UserGroupSourceType {
        /// `activeDirectory`.
        ActiveDirectory = "activeDirectory",
        /// `azureActiveDirectory`.
        AzureActiveDirectory = "azureActiveDirectory",
        /// `custom`.
        Custom = "custom",
    }
}

open_enum! {
    /// The user group search field.
    pub enum UserGroupSearchField {
        /// `description`.
        Description = "description",
        /// `email`.
        Email = "email",
        /// `exchangeLogin`.
        ExchangeLogin = "exchangeLogin",
        /// `firstName`.
        FirstName = "firstName",
        /// `lastName`.
        LastName = "lastName",
        /// `name`.
        Name = "name",
    }
}

open_enum! {
    /// The users of group source type.
    pub enum UsersOfGroupSourceType {
        /// `activeDirectory`.
        ActiveDirectory = "activeDirectory",
        /// `azureActiveDirectory`.
        AzureActiveDirectory = "azureActiveDirectory",
        /// `custom`.
        Custom = "custom",
    }
}

open_enum! {
    /// The users of group search field.
    pub enum UsersOfGroupSearchField {
        /// `description`.
        Description = "description",
        /// `email`.
        Email = "email",
        /// `exchangeLogin`.
        ExchangeLogin = "exchangeLogin",
        /// `firstName`.
        FirstName = "firstName",
        /// `lastName`.
        LastName = "lastName",
        /// `name`.
        Name = "name",
    }
}

open_enum! {
    /// The user source type.
    pub enum UserSourceType {
        /// `activeDirectory`.
        ActiveDirectory = "activeDirectory",
        /// `azureActiveDirectory`.
        AzureActiveDirectory = "azureActiveDirectory",
        /// `custom`.
        Custom = "custom",
    }
}

open_enum! {
    /// The user search field.
    pub enum UserSearchField {
        /// `description`.
        Description = "description",
        /// `email`.
        Email = "email",
        /// `exchangeLogin`.
        ExchangeLogin = "exchangeLogin",
        /// `firstName`.
        FirstName = "firstName",
        /// `lastName`.
        LastName = "lastName",
        /// `name`.
        Name = "name",
    }
}

open_enum! {
    /// The groups of user source type.
    pub enum GroupsOfUserSourceType {
        /// `activeDirectory`.
        ActiveDirectory = "activeDirectory",
        /// `azureActiveDirectory`.
        AzureActiveDirectory = "azureActiveDirectory",
        /// `custom`.
        Custom = "custom",
    }
}

open_enum! {
    /// The groups of user search field.
    pub enum GroupsOfUserSearchField {
        /// `description`.
        Description = "description",
        /// `email`.
        Email = "email",
        /// `exchangeLogin`.
        ExchangeLogin = "exchangeLogin",
        /// `firstName`.
        FirstName = "firstName",
        /// `lastName`.
        LastName = "lastName",
        /// `name`.
        Name = "name",
    }
}

operation! {
    /// Lists groups in the directory.
    pub struct ListUserGroups = GET "/common/v1/directory/user-groups" (tenant)
        -> NumberedPage<UserGroup> {
        /// The order, such as `name:asc`.
        sort: [String],
        /// The fields to return.
        fields: [String],
        /// The page number, from 1.
        page: u64,
        /// Whether the response holds the number of pages and items.
        page_total: bool,
        /// The number of items per page.
        page_size: u32,
        /// The ids.
        ids: [String],
        /// The text to search for.
        search: String,
        /// The fields to search in.
        search_fields: [UserGroupSearchField],
        /// The source type.
        source_type: UserGroupSourceType,
        /// The user id.
        user_id: String,
        /// The domain.
        domain: String,
    }
}

operation! {
    /// Adds a new group to the directory.
    pub struct CreateUserGroup = POST "/common/v1/directory/user-groups" (tenant)
        -> UserGroup {
        /// The fields to return.
        query fields: [String],
        /// The name.
        name: String,
        /// The description.
        description: String,
        /// The user ids.
        user_ids: [String],
    }
}

operation! {
    /// Deletes the specified group.
    pub struct DeleteUserGroup = DELETE "/common/v1/directory/user-groups/:groupId" (tenant)
        -> Deleted {
        /// The group id.
        group_id!: String,
    }
}

operation! {
    /// Gets group by ID.
    pub struct GetUserGroup = GET "/common/v1/directory/user-groups/:groupId" (tenant)
        -> UserGroup {
        /// The group id.
        group_id!: String,
        /// The fields to return.
        fields: [String],
    }
}

operation! {
    /// Updates a group.
    pub struct UpdateUserGroup = PATCH "/common/v1/directory/user-groups/:groupId" (tenant)
        -> UserGroup {
        /// The group id.
        group_id!: String,
        /// The fields to return.
        query fields: [String],
        /// The name.
        name: String,
        /// The description.
        description: String,
    }
}

operation! {
    /// Removes multiple users from a group.
    pub struct RemoveUsersFromGroup = DELETE "/common/v1/directory/user-groups/:groupId/users" (tenant)
        -> UsersFromGroup {
        /// The group id.
        group_id!: String,
        /// The ids.
        ids: [String],
    }
}

operation! {
    /// Lists users in the specified group.
    pub struct ListUsersOfGroup = GET "/common/v1/directory/user-groups/:groupId/users" (tenant)
        -> NumberedPage<UsersOfGroup> {
        /// The group id.
        group_id!: String,
        /// The order, such as `name:asc`.
        sort: [String],
        /// The fields to return.
        fields: [String],
        /// The page number, from 1.
        page: u64,
        /// Whether the response holds the number of pages and items.
        page_total: bool,
        /// The number of items per page.
        page_size: u32,
        /// The text to search for.
        search: String,
        /// The fields to search in.
        search_fields: [UsersOfGroupSearchField],
        /// The source type.
        source_type: UsersOfGroupSourceType,
        /// The domain.
        domain: String,
    }
}

operation! {
    /// Adds multiple users to the specified group.
    pub struct AddUsersToGroup = POST "/common/v1/directory/user-groups/:groupId/users" (tenant)
        -> UsersToGroup {
        /// The group id.
        group_id!: String,
        /// The ids.
        ids: [String],
    }
}

operation! {
    /// Updates a group to remove a user.
    pub struct RemoveUserFromGroup = DELETE "/common/v1/directory/user-groups/:groupId/users/:userId" (tenant)
        -> UserFromGroup {
        /// The group id.
        group_id!: String,
        /// The user id.
        user_id!: String,
    }
}

operation! {
    /// Lists users in the directory.
    pub struct ListUsers = GET "/common/v1/directory/users" (tenant)
        -> NumberedPage<User> {
        /// The order, such as `name:asc`.
        sort: [String],
        /// The fields to return.
        fields: [String],
        /// The page number, from 1.
        page: u64,
        /// Whether the response holds the number of pages and items.
        page_total: bool,
        /// The number of items per page.
        page_size: u32,
        /// The ids.
        ids: [String],
        /// The text to search for.
        search: String,
        /// The fields to search in.
        search_fields: [UserSearchField],
        /// The source type.
        source_type: UserSourceType,
        /// The group id.
        group_id: String,
        /// The domain.
        domain: String,
    }
}

operation! {
    /// Adds a new user to the directory.
    pub struct CreateUser = POST "/common/v1/directory/users" (tenant)
        -> User {
        /// The fields to return.
        query fields: [String],
        /// The name.
        name: String,
        /// The first name.
        first_name: String,
        /// The last name.
        last_name: String,
        /// The email.
        email: String,
        /// The exchange login.
        exchange_login: String,
        /// The group ids.
        group_ids: [String],
    }
}

operation! {
    /// Deletes a user by ID.
    pub struct DeleteUser = DELETE "/common/v1/directory/users/:userId" (tenant)
        -> Deleted {
        /// The user id.
        user_id!: String,
    }
}

operation! {
    /// Gets a user by ID.
    pub struct GetUser = GET "/common/v1/directory/users/:userId" (tenant)
        -> User {
        /// The user id.
        user_id!: String,
        /// The fields to return.
        fields: [String],
    }
}

operation! {
    /// Updates an existing user.
    pub struct UpdateUser = PATCH "/common/v1/directory/users/:userId" (tenant)
        -> User {
        /// The user id.
        user_id!: String,
        /// The fields to return.
        query fields: [String],
        /// The name.
        name: String,
        /// The first name.
        first_name: String,
        /// The last name.
        last_name: String,
        /// The email.
        email: String,
        /// The exchange login.
        exchange_login: String,
    }
}

operation! {
    /// Removes a user from multiple groups.
    pub struct RemoveUserFromGroups = DELETE "/common/v1/directory/users/:userId/groups" (tenant)
        -> UserFromGroup {
        /// The user id.
        user_id!: String,
        /// The ids.
        ids: [String],
    }
}

operation! {
    /// Lists groups that a user belongs to.
    pub struct ListGroupsOfUser = GET "/common/v1/directory/users/:userId/groups" (tenant)
        -> NumberedPage<GroupsOfUser> {
        /// The user id.
        user_id!: String,
        /// The order, such as `name:asc`.
        sort: [String],
        /// The fields to return.
        fields: [String],
        /// The page number, from 1.
        page: u64,
        /// Whether the response holds the number of pages and items.
        page_total: bool,
        /// The number of items per page.
        page_size: u32,
        /// The text to search for.
        search: String,
        /// The fields to search in.
        search_fields: [GroupsOfUserSearchField],
        /// The source type.
        source_type: GroupsOfUserSourceType,
        /// The domain.
        domain: String,
    }
}

operation! {
    /// Adds a user to multiple groups.
    pub struct AddUserToGroups = POST "/common/v1/directory/users/:userId/groups" (tenant)
        -> UserToGroup {
        /// The user id.
        user_id!: String,
        /// The ids.
        ids: [String],
    }
}

operation! {
    /// Removes user from a group.
    pub struct RemoveGroupFromUser = DELETE "/common/v1/directory/users/:userId/groups/:groupId" (tenant)
        -> GroupFromUser {
        /// The user id.
        user_id!: String,
        /// The group id.
        group_id!: String,
    }
}

tested! {
    ListUserGroups
    CreateUserGroup
    DeleteUserGroup
    GetUserGroup
    UpdateUserGroup
    RemoveUsersFromGroup
    ListUsersOfGroup
    AddUsersToGroup
    RemoveUserFromGroup
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
