//! Administrators of a tenant and their role assignments: `/common/v1/admins`.

use crate::{
    ItemList, NumberedPage, Timestamp,
    models::{Deleted, Reference, macros::model},
    operation::macros::{listed, operation},
};

operation! {
    /// Lists the administrators of a tenant.
    pub struct ListAdmins = GET "/common/v1/admins" (tenant) -> NumberedPage<Admin> {
        /// The order, such as `name:asc`.
        sort: [String],
        /// The fields to return; all if empty.
        fields: [String],
        /// The text to search for.
        search: String,
        /// The fields to search in; the username if empty.
        search_fields: [String],
        /// The id of a role; only administrators with it match.
        role_id: String,
        /// The page number, from 1.
        page: u64,
        /// Whether the response holds the number of pages and items.
        page_total: bool,
        /// The number of items per page.
        page_size: u32,
    }
}

operation! {
    /// Makes a user of the directory an administrator.
    ///
    /// Fails with 404 if the user or a role does not exist.
    pub struct CreateAdmin = POST "/common/v1/admins" (tenant) -> Admin {
        /// The id of the directory user.
        user_id!: String,
        /// The roles of the new administrator.
        role_assignments!: [NewRoleAssignment],
        /// The fields to return; all if empty.
        query fields: [String],
    }
}

operation! {
    /// Removes an administrator.
    ///
    /// Fails with 409 for the last Super Admin, and with 404 for an unknown administrator.
    pub struct DeleteAdmin = DELETE "/common/v1/admins/:adminId" (tenant) -> Deleted {
        /// The administrator's id.
        admin_id!: String,
    }
}

operation! {
    /// Returns an administrator.
    pub struct GetAdmin = GET "/common/v1/admins/:adminId" (tenant) -> Admin {
        /// The administrator's id.
        admin_id!: String,
        /// The fields to return; all if empty.
        fields: [String],
    }
}

operation! {
    /// Lists the role assignments of an administrator.
    pub struct ListRoleAssignments = GET "/common/v1/admins/:adminId/role-assignments" (tenant)
        -> ItemList<RoleAssignment> {
        /// The administrator's id.
        admin_id!: String,
    }
}

operation! {
    /// Assigns a role to an administrator and replaces any role assigned before.
    ///
    /// The role's principal type must be `user`. Fails with 404 if the administrator or the role
    /// does not exist.
    pub struct AssignRole = POST "/common/v1/admins/:adminId/role-assignments" (tenant) -> RoleAssignment {
        /// The administrator's id.
        admin_id!: String,
        /// The id of the role.
        role_id!: String,
    }
}

operation! {
    /// Removes a role assignment of an administrator.
    pub struct RemoveRoleAssignment = DELETE "/common/v1/admins/:adminId/role-assignments/:assignmentId" (tenant)
        -> Deleted {
        /// The administrator's id.
        admin_id!: String,
        /// The id of the role assignment.
        assignment_id!: String,
    }
}

operation! {
    /// Returns a role assignment of an administrator.
    pub struct GetRoleAssignment = GET "/common/v1/admins/:adminId/role-assignments/:assignmentId" (tenant)
        -> RoleAssignment {
        /// The administrator's id.
        admin_id!: String,
        /// The id of the role assignment.
        assignment_id!: String,
    }
}

model! {
    /// An administrator of a tenant.
    pub struct Admin {
        /// The administrator's id.
        id!: String,
        /// The tenant.
        tenant: Reference,
        /// The directory users.
        users: Vec<Reference>,
        /// The profile.
        profile: AdminProfile,
        /// The assigned roles.
        role_assignments: Vec<RoleAssignment>,
        /// The time of creation.
        created_at: Timestamp,
        /// The time of the last change.
        updated_at: Timestamp,
    }
}

model! {
    /// The name and email address of an administrator.
    pub struct AdminProfile {
        /// The name.
        name: String,
        /// The first name.
        first_name: String,
        /// The last name.
        last_name: String,
        /// The email address.
        email: String,
    }
}

model! {
    /// A role assigned to an administrator.
    pub struct RoleAssignment {
        /// The id of the assignment.
        id as id: String,
        /// The id of the role.
        role_id: String,
    }
}

model! {
    /// A role to assign.
    pub struct NewRoleAssignment with setters {
        /// The id of the role.
        role_id: String,
    }
}

listed! {
    ListAdmins
    CreateAdmin
    DeleteAdmin
    GetAdmin
    ListRoleAssignments
    AssignRole
    RemoveRoleAssignment
    GetRoleAssignment
}
