//! Admins: `/partner/v1/admins` and the operations beside it.

use crate::{ItemList, NumberedPage, models::{Deleted}, model::{model, open_enum}, operation_macro::{operation, tested}};

model! {
    /// An admin.
    pub struct Admin {
        /// The id.
        id!: String,
        /// The username.
        username: String,
        /// The profile.
        profile: AdminProfile,
        /// Whether `active` is set.
        active: bool,
        /// Whether `primary` is set.
        primary: bool,
        /// The role assignments.
        role_assignments: Vec<AdminRoleAssignment>,
    }
}

model! {
    /// An admin profile.
    pub struct AdminProfile {
        /// The first name.
        first_name: String,
        /// The last name.
        last_name: String,
        /// The name.
        name: String,
        /// The phone.
        phone: String,
        /// The mobile.
        mobile: String,
        /// The fax.
        fax: String,
    }
}

model! {
    /// An admin role assignment.
    pub struct AdminRoleAssignment {
        /// The id.
        id as id: String,
        /// The role id.
        role_id: String,
        /// The scope.
        scope: AdminRoleAssignmentScope,
    }
}

model! {
    /// An admin role assignment scope.
    pub struct AdminRoleAssignmentScope {
        /// The type.
        r#type: AdminRoleAssignmentScopeType,
        /// The id.
        id as id: String,
    }
}

model! {
    /// A role assignment.
    pub struct RoleAssignment {
        /// The id.
        id as id: String,
        /// The role id.
        role_id: String,
        /// The scope.
        scope: RoleAssignmentScope,
    }
}

model! {
    /// A role assignment scope.
    pub struct RoleAssignmentScope {
        /// The type.
        r#type: RoleAssignmentScopeType,
        /// The id.
        id as id: String,
    }
}

model! {
    /// A role.
    pub struct Role {
        /// The id.
        id as id: String,
        /// The role id.
        role_id: String,
        /// The scope.
        scope: RoleScope,
    }
}

model! {
    /// A role scope.
    pub struct RoleScope {
        /// The type.
        r#type: RoleScopeType,
        /// The id.
        id as id: String,
    }
}

open_enum! {
    /// The admin role assignment scope type.
    pub enum AdminRoleAssignmentScopeType {
        /// `allManagedTenants`.
        AllManagedTenants = "allManagedTenants",
        /// `self`.
        Itself = "self",
        /// `tenant`.
        Tenant = "tenant",
    }
}

open_enum! {
    /// The role assignment scope type.
    pub enum RoleAssignmentScopeType {
        /// `allManagedTenants`.
        AllManagedTenants = "allManagedTenants",
        /// `self`.
        Itself = "self",
        /// `tenant`.
        Tenant = "tenant",
    }
}

open_enum! {
    /// The role scope type.
    pub enum RoleScopeType {
        /// `allManagedTenants`.
        AllManagedTenants = "allManagedTenants",
        /// `self`.
        Itself = "self",
        /// `tenant`.
        Tenant = "tenant",
    }
}

operation! {
    /// Lists all partner admins.
    pub struct ListAdmins = GET "/partner/v1/admins" (partner global)
        -> NumberedPage<Admin> {
        /// The page number, from 1.
        page: u64,
        /// The number of items per page.
        page_size: u32,
        /// Whether the response holds the number of pages and items.
        page_total: bool,
        /// The order, such as `name:asc`.
        sort: [String],
        /// The fields to return.
        fields: [String],
        /// The text to search for.
        search: String,
        /// The email.
        email: String,
        /// The role id.
        role_id: String,
        /// The with access to tenant.
        with_access_to_tenant: String,
    }
}

operation! {
    /// Creates a new partner administrator.
    pub struct CreateAdmin = POST "/partner/v1/admins" (partner global)
        -> Admin {
        /// The username.
        username: String,
        /// The profile.
        profile: AdminProfile,
        /// The role assignments.
        role_assignments: [AdminRoleAssignment],
    }
}

operation! {
    /// Gets partner administrator details by ID.
    pub struct GetAdmin = GET "/partner/v1/admins/:adminId" (partner global)
        -> Admin {
        /// The admin id.
        admin_id!: String,
    }
}

operation! {
    /// Gets the list of role assignments for given admin.
    pub struct ListRoleAssignments = GET "/partner/v1/admins/:adminId/role-assignments" (partner global)
        -> ItemList<RoleAssignment> {
        /// The admin id.
        admin_id!: String,
    }
}

operation! {
    /// Assigns a role to a partner administrator.
    pub struct AssignRole = POST "/partner/v1/admins/:adminId/role-assignments" (partner global)
        -> Role {
        /// The admin id.
        admin_id!: String,
        /// The role id.
        role_id: String,
        /// The scope.
        scope: RoleScope,
    }
}

operation! {
    /// Removes role assignment from an admin.
    pub struct RemoveRoleAssignment = DELETE "/partner/v1/admins/:adminId/role-assignments/:assignmentId" (partner global)
        -> Deleted {
        /// The admin id.
        admin_id!: String,
        /// The assignment id.
        assignment_id!: String,
    }
}

operation! {
    /// Gets partner administrator role assignment by ID.
    pub struct GetRoleAssignment = GET "/partner/v1/admins/:adminId/role-assignments/:assignmentId" (partner global)
        -> RoleAssignment {
        /// The admin id.
        admin_id!: String,
        /// The assignment id.
        assignment_id!: String,
    }
}

tested! {
    ListAdmins
    CreateAdmin
    GetAdmin
    ListRoleAssignments
    AssignRole
    RemoveRoleAssignment
    GetRoleAssignment
}
