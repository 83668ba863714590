//! Roles and permission sets of a tenant: `/common/v1/roles`.

use crate::{
    ItemList, Timestamp,
    models::{
        Deleted,
        macros::{model, open_enum},
    },
    operation::macros::{listed, operation},
};

operation! {
    /// Lists the roles of a tenant.
    pub struct ListRoles = GET "/common/v1/roles" (tenant) -> ItemList<Role> {
        /// The origin of the role.
        r#type: RoleType,
        /// The kind of principal that holds the role.
        principal_type: PrincipalType,
        /// The fields to return; all if empty.
        fields: [String],
    }
}

operation! {
    /// Creates a role.
    ///
    /// Fails with 409 if the name is in use or is the name of a predefined role.
    pub struct CreateRole = POST "/common/v1/roles" (tenant) -> Role {
        /// The name.
        name!: String,
        /// The kind of principal that holds the role.
        principal_type!: PrincipalType,
        /// The ids of the permission sets, such as `central_admin`.
        permission_sets!: [String],
        /// The fields to return; all if empty.
        query fields: [String],
        /// The description.
        description: String,
    }
}

operation! {
    /// Deletes a role.
    ///
    /// Fails with 409 while the role is assigned to an administrator.
    pub struct DeleteRole = DELETE "/common/v1/roles/:roleId" (tenant) -> Deleted {
        /// The role's id.
        role_id!: String,
    }
}

operation! {
    /// Returns a role.
    pub struct GetRole = GET "/common/v1/roles/:roleId" (tenant) -> Role {
        /// The role's id.
        role_id!: String,
        /// The fields to return; all if empty.
        fields: [String],
    }
}

operation! {
    /// Changes a role.
    ///
    /// Fails with 409 if the name is in use or is the name of a predefined role.
    pub struct UpdateRole = PATCH "/common/v1/roles/:roleId" (tenant) -> Role {
        /// The role's id.
        role_id!: String,
        /// The fields to return; all if empty.
        query fields: [String],
        /// The name.
        name: String,
        /// The description.
        description: String,
        /// The ids of the permission sets, such as `central_admin`.
        permission_sets: [String],
    }
}

operation! {
    /// Lists the permission sets that roles consist of.
    pub struct ListPermissionSets = GET "/common/v1/roles/permission-sets" (tenant)
        -> ItemList<PermissionSet> {
        /// The fields to return; all if empty.
        fields: [String],
        /// The type, such as `base`, `product` or `setting`.
        r#type: String,
        /// The product to match.
        product: PermissionSetProduct,
        /// The access levels to match.
        access: [PermissionSetAccess],
        /// Whether custom roles may hold the set.
        allowed_in_custom_role: bool,
        /// The kind of principal.
        principal_type: PrincipalType,
    }
}

model! {
    /// A role of administrators or API credentials.
    pub struct Role {
        /// The role's id.
        id!: String,
        /// The name.
        name: String,
        /// The origin: `predefined` or `custom`.
        r#type: RoleType,
        /// The kind of principal that holds the role.
        principal_type: PrincipalType,
        /// The ids of the permission sets, such as `central_admin`.
        permission_sets: Vec<String>,
        /// The description.
        description: String,
        /// The time of creation.
        created_at: Timestamp,
        /// The time of the last change.
        updated_at: Timestamp,
    }
}

model! {
    /// A set of permissions that a role may hold.
    pub struct PermissionSet {
        /// The id of the set.
        id as id: String,
        /// The name.
        name: String,
        /// The type, such as `base`, `product` or `setting`.
        r#type: String,
        /// The kinds of principal that may hold the set.
        principal_types: Vec<PrincipalType>,
        /// Whether custom roles may hold the set.
        allowed_in_custom_roles: bool,
        /// The description.
        description: String,
        /// The access level.
        access: PermissionSetAccess,
        /// The products that the set applies to.
        products: Vec<PermissionSetProduct>,
    }
}

open_enum! {
    /// The origin of a role.
    pub enum RoleType {
        /// Defined by Sophos.
        Predefined = "predefined",
        /// Defined by the tenant.
        Custom = "custom",
    }
}

open_enum! {
    /// The kind of principal that holds a role.
    pub enum PrincipalType {
        /// An API credential.
        Service = "service",
        /// An administrator.
        User = "user",
    }
}

open_enum! {
    /// The access level of a permission set.
    pub enum PermissionSetAccess {
        /// Full access.
        Admin = "admin",
        /// Access of the help desk.
        Helpdesk = "helpdesk",
        /// Read access.
        ReadOnly = "readOnly",
    }
}

open_enum! {
    /// A product that permission sets apply to.
    pub enum PermissionSetProduct {
        /// Sophos Email.
        EmailGateway = "emailGateway",
        /// Device Encryption.
        Encryption = "encryption",
        /// Endpoint protection.
        Endpoint = "endpoint",
        /// Sophos Firewall.
        Firewall = "firewall",
        /// Sophos Mobile.
        Mobile = "mobile",
        /// Cloud Optix.
        Optix = "optix",
        /// Phish Threat.
        PhishThreat = "phishThreat",
        /// Server protection.
        Server = "server",
        /// Web Gateway.
        WebGateway = "webGateway",
        /// Wireless access points.
        Wireless = "wireless",
        /// Zero Trust Network Access.
        Ztna = "ztna",
    }
}

listed! {
    ListRoles
    CreateRole
    DeleteRole
    GetRole
    UpdateRole
    ListPermissionSets
}
