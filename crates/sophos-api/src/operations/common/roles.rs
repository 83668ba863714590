//! Tenant Roles: `/common/v1/roles` and the operations beside it.

use crate::{ItemList, Timestamp, models::{Deleted}, model::{model, open_enum}, operation_macro::{operation, tested}};

model! {
    /// A role.
    pub struct Role {
        /// The id.
        id!: String,
        /// The name.
        name: String,
        /// The type.
        r#type: RoleType,
        /// The principal type.
        principal_type: RolePrincipalType,
        /// The permission sets.
        permission_sets: Vec<RolePermissionSet>,
        /// The description.
        description: String,
        /// The time of creation.
        created_at: Timestamp,
        /// The time of the last change.
        updated_at: Timestamp,
    }
}

model! {
    /// A permission set.
    pub struct PermissionSet {
        /// The id.
        id as id: String,
        /// The name.
        name: String,
        /// The type.
        r#type: PermissionSetType,
        /// The principal types.
        principal_types: Vec<PermissionSetPrincipalType>,
        /// Whether `allowedInCustomRoles` is set.
        allowed_in_custom_roles: bool,
        /// The description.
        description: String,
        /// The access.
        access: PermissionSetAccess,
        /// The products.
        products: Vec<PermissionSetProduct>,
    }
}

open_enum! {
    /// The role type.
    pub enum RoleType {
        /// `base`.
        Base = "base",
        /// `custom`.
        Custom = "custom",
        /// `predefined`.
        Predefined = "predefined",
        /// `product`.
        Product = "product",
        /// `setting`.
        Setting = "setting",
    }
}

open_enum! {
    /// The role principal type.
    pub enum RolePrincipalType {
        /// `service`.
        Service = "service",
        /// `user`.
        User = "user",
    }
}

open_enum! {
    /// The role permission set.
    pub enum RolePermissionSet {
        /// `central_admin`.
        CentralAdmin = "central_admin",
        /// `endpoint_product_admin`.
        EndpointProductAdmin = "endpoint_product_admin",
    }
}

open_enum! {
    /// The permission set type.
    pub enum PermissionSetType {
        /// `base`.
        Base = "base",
        /// `custom`.
        Custom = "custom",
        /// `predefined`.
        Predefined = "predefined",
        /// `product`.
        Product = "product",
        /// `setting`.
        Setting = "setting",
    }
}

open_enum! {
    /// The permission set principal type.
    pub enum PermissionSetPrincipalType {
        /// `service`.
        Service = "service",
        /// `user`.
        User = "user",
    }
}

open_enum! {
    /// The permission set access.
    pub enum PermissionSetAccess {
        /// `admin`.
        Admin = "admin",
        /// `helpdesk`.
        Helpdesk = "helpdesk",
        /// `readOnly`.
        ReadOnly = "readOnly",
    }
}

open_enum! {
    /// The permission set product.
    pub enum PermissionSetProduct {
        /// `emailGateway`.
        EmailGateway = "emailGateway",
        /// `encryption`.
        Encryption = "encryption",
        /// `endpoint`.
        Endpoint = "endpoint",
        /// `firewall`.
        Firewall = "firewall",
        /// `mobile`.
        Mobile = "mobile",
        /// `optix`.
        Optix = "optix",
        /// `phishThreat`.
        PhishThreat = "phishThreat",
        /// `server`.
        Server = "server",
        /// `webGateway`.
        WebGateway = "webGateway",
        /// `wireless`.
        Wireless = "wireless",
        /// `ztna`.
        Ztna = "ztna",
    }
}

operation! {
    /// Lists all tenant roles.
    pub struct ListRoles = GET "/common/v1/roles" (tenant)
        -> ItemList<Role> {
        /// The type.
        r#type: RoleType,
        /// The principal type.
        principal_type: RolePrincipalType,
        /// The fields to return.
        fields: [String],
    }
}

operation! {
    /// Creates a new tenant role.
    pub struct CreateRole = POST "/common/v1/roles" (tenant)
        -> Role {
        /// The fields to return.
        query fields: [String],
        /// The name.
        name: String,
        /// The description.
        description: String,
        /// The principal type.
        principal_type: RolePrincipalType,
        /// The permission sets.
        permission_sets: [RolePermissionSet],
    }
}

operation! {
    /// Deletes a tenant role by ID.
    pub struct DeleteRole = DELETE "/common/v1/roles/:roleId" (tenant)
        -> Deleted {
        /// The role id.
        role_id!: String,
    }
}

operation! {
    /// Gets tenant role by ID.
    pub struct GetRole = GET "/common/v1/roles/:roleId" (tenant)
        -> Role {
        /// The role id.
        role_id!: String,
        /// The fields to return.
        fields: [String],
    }
}

operation! {
    /// Updates an existing tenant role.
    pub struct UpdateRole = PATCH "/common/v1/roles/:roleId" (tenant)
        -> Role {
        /// The role id.
        role_id!: String,
        /// The fields to return.
        query fields: [String],
        /// The name.
        name: String,
        /// The description.
        description: String,
        /// The permission sets.
        permission_sets: [RolePermissionSet],
    }
}

operation! {
    /// Gets permission set details.
    pub struct ListPermissionSets = GET "/common/v1/roles/permission-sets" (tenant)
        -> ItemList<PermissionSet> {
        /// The fields to return.
        fields: [String],
        /// The type.
        r#type: PermissionSetType,
        /// The product.
        product: PermissionSetProduct,
        /// The access.
        access: [PermissionSetAccess],
        /// The allowed in custom role.
        allowed_in_custom_role: String,
        /// The principal type.
        principal_type: PermissionSetPrincipalType,
    }
}

tested! {
    ListRoles
    CreateRole
    DeleteRole
    GetRole
    UpdateRole
    ListPermissionSets
}
