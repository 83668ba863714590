//! Tenant Admins: `/common/v1/admins` and the operations beside it.

use serde_json::Value;

use crate::{ItemList, NumberedPage, Timestamp, models::{Deleted, Reference}, model::{model}, operation_macro::{operation, tested}};

model! {
    /// An admin.
    pub struct Admin {
        /// The id.
        id!: String,
        /// The tenant.
        tenant: Reference,
        /// The users.
        users: Vec<Reference>,
        /// The profile.
        profile: AdminProfile,
        /// The role assignments.
        role_assignments: Vec<AdminRoleAssignment>,
        /// The time of creation.
        created_at: Timestamp,
        /// The time of the last change.
        updated_at: Timestamp,
    }
}

model! {
    /// An admin profile.
    pub struct AdminProfile {
        /// The name.
        name: String,
        /// The first name.
        first_name: String,
        /// The last name.
        last_name: String,
        /// The email.
        email: String,
    }
}

model! {
    /// An admin role assignment.
    pub struct AdminRoleAssignment {
        /// The id.
        id as id: String,
        /// The role id.
        role_id: String,
    }
}

model! {
    /// A role assignment.
    pub struct RoleAssignment {
        /// The id.
        id as id: String,
        /// The role id.
        role_id: String,
    }
}

model! {
    /// A role.
    pub struct Role {
        /// The id.
        id as id: String,
        /// The role id.
        role_id: String,
    }
}

operation! {
    /// Lists all tenant admins.
    pub struct ListAdmins = GET "/common/v1/admins" (tenant)
        -> NumberedPage<Admin> {
        /// The order, such as `name:asc`.
        sort: [String],
        /// The fields to return.
        fields: [String],
        /// The text to search for.
        search: String,
        /// The fields to search in.
        search_fields: [String],
        /// The role id.
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
    /// Creates a tenant admin from a directory user.
    pub struct CreateAdmin = POST "/common/v1/admins" (tenant)
        -> Admin {
        /// The fields to return.
        query fields: [String],
        /// The user id.
        user_id: String,
        /// The role assignments.
        role_assignments: [AdminRoleAssignment],
    }
}

operation! {
    /// Removes an admin by ID.
    pub struct DeleteAdmin = DELETE "/common/v1/admins/:adminId" (tenant)
        -> Deleted {
        /// The admin id.
        admin_id!: String,
    }
}

operation! {
    /// Gets tenant admin details by ID.
    pub struct GetAdmin = GET "/common/v1/admins/:adminId" (tenant)
        -> Admin {
        /// The admin id.
        admin_id!: String,
        /// The fields to return.
        fields: [String],
    }
}

operation! {
    /// Gets the list of role assignments for given admin.
    pub struct ListRoleAssignments = GET "/common/v1/admins/:adminId/role-assignments" (tenant)
        -> ItemList<RoleAssignment> {
        /// The admin id.
        admin_id!: String,
    }
}

operation! {
    /// Assigns a role of principal type "user" to a tenant admin.
    pub struct AssignRole = POST "/common/v1/admins/:adminId/role-assignments" (tenant)
        -> Role {
        /// The admin id.
        admin_id!: String,
        /// The role id.
        role_id: String,
    }
}

operation! {
    /// Removes role assignment from an admin.
    pub struct RemoveRoleAssignment = DELETE "/common/v1/admins/:adminId/role-assignments/:assignmentId" (tenant)
        -> Deleted {
        /// The admin id.
        admin_id!: String,
        /// The assignment id.
        assignment_id!: String,
    }
}

operation! {
    /// Gets tenant admin role assignment by ID.
    pub struct GetRoleAssignment = GET "/common/v1/admins/:adminId/role-assignments/:assignmentId" (tenant)
        -> Value {
        /// The admin id.
        admin_id!: String,
        /// The assignment id.
        assignment_id!: String,
    }
}

tested! {
    ListAdmins
    CreateAdmin
    DeleteAdmin
    GetAdmin
    ListRoleAssignments
    AssignRole
    RemoveRoleAssignment
    GetRoleAssignment
}
