//! Administrators of a partner and their role assignments: `/partner/v1/admins`.

use crate::{
    ItemList, NumberedPage,
    models::{
        Deleted,
        macros::{model, open_enum},
    },
    operation::macros::{listed, operation},
};

operation! {
    /// Lists the administrators of a partner.
    pub struct ListAdmins = GET "/partner/v1/admins" (partner global) -> NumberedPage<Admin> {
        /// The page number, from 1.
        page: u64,
        /// The number of items per page.
        page_size: u32,
        /// Whether the response holds the number of pages and items.
        page_total: bool,
        /// The order, such as `name:asc`.
        sort: [String],
        /// The fields to return; all if empty.
        fields: [String],
        /// The text to search for.
        search: String,
        /// The email address to match.
        email: String,
        /// The id of a role; only administrators with it match.
        role_id: String,
        /// The id of a tenant; only administrators with access to it match.
        with_access_to_tenant: String,
    }
}

operation! {
    /// Creates an administrator of a partner.
    ///
    /// Fails with 409 if the email address is in use.
    pub struct CreateAdmin = POST "/partner/v1/admins" (partner global) -> Admin {
        /// The sign-in name, an email address.
        username!: String,
        /// The profile.
        profile!: AdminProfile,
        /// The roles of the new administrator.
        role_assignments!: [NewRoleAssignment],
    }
}

operation! {
    /// Returns an administrator of a partner.
    pub struct GetAdmin = GET "/partner/v1/admins/:adminId" (partner global) -> Admin {
        /// The administrator's id.
        admin_id!: String,
    }
}

operation! {
    /// Lists the role assignments of an administrator.
    pub struct ListRoleAssignments = GET "/partner/v1/admins/:adminId/role-assignments" (partner global)
        -> ItemList<RoleAssignment> {
        /// The administrator's id.
        admin_id!: String,
    }
}

operation! {
    /// Assigns a role to an administrator of a partner.
    ///
    /// Fails with 404 if the administrator or the role does not exist.
    pub struct AssignRole = POST "/partner/v1/admins/:adminId/role-assignments" (partner global)
        -> RoleAssignment {
        /// The administrator's id.
        admin_id!: String,
        /// The id of the role.
        role_id!: String,
        /// The accounts that the role covers.
        scope!: RoleScope,
    }
}

operation! {
    /// Removes a role assignment of an administrator.
    pub struct RemoveRoleAssignment = DELETE "/partner/v1/admins/:adminId/role-assignments/:assignmentId" (partner global)
        -> Deleted {
        /// The administrator's id.
        admin_id!: String,
        /// The id of the role assignment.
        assignment_id!: String,
    }
}

operation! {
    /// Returns a role assignment of an administrator.
    pub struct GetRoleAssignment = GET "/partner/v1/admins/:adminId/role-assignments/:assignmentId" (partner global)
        -> RoleAssignment {
        /// The administrator's id.
        admin_id!: String,
        /// The id of the role assignment.
        assignment_id!: String,
    }
}

model! {
    /// An administrator of a partner.
    pub struct Admin {
        /// The administrator's id.
        id!: String,
        /// The sign-in name, an email address.
        username: String,
        /// The profile.
        profile: AdminProfile,
        /// Whether the account is active.
        active: bool,
        /// Whether this is the primary administrator of the partner.
        primary: bool,
        /// The assigned roles.
        role_assignments: Vec<RoleAssignment>,
    }
}

model! {
    /// The name and numbers of an administrator.
    pub struct AdminProfile with setters {
        /// The first name.
        first_name: String,
        /// The last name.
        last_name: String,
        /// The name.
        name: String,
        /// The phone number.
        phone: String,
        /// The mobile number.
        mobile: String,
        /// The fax number.
        fax: String,
    }
}

model! {
    /// A role assigned to an administrator.
    pub struct RoleAssignment {
        /// The id of the assignment.
        id as id: String,
        /// The id of the role.
        role_id: String,
        /// The accounts that the role covers.
        scope: RoleScope,
    }
}

model! {
    /// The accounts that an assigned role covers.
    pub struct RoleScope with setters {
        /// The kind of scope.
        r#type: RoleScopeType,
        /// The id of the tenant, for the scope of one tenant.
        id as id: String,
    }
}

model! {
    /// A role to assign.
    pub struct NewRoleAssignment with setters {
        /// The id of the role.
        role_id: String,
        /// The accounts that the role covers.
        scope: RoleScope,
    }
}

open_enum! {
    /// The kind of a role's scope.
    pub enum RoleScopeType {
        /// All tenants that the partner manages.
        AllManagedTenants = "allManagedTenants",
        /// The partner account itself.
        Itself = "self",
        /// One tenant.
        Tenant = "tenant",
    }
}

listed! {
    ListAdmins
    CreateAdmin
    GetAdmin
    ListRoleAssignments
    AssignRole
    RemoveRoleAssignment
    GetRoleAssignment
}
