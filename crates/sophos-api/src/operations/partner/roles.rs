//! Roles: `/partner/v1/roles` and the operations beside it.

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
    /// A permission set.
    pub struct PermissionSet {
        /// The id.
        id as id: String,
        /// The name.
        name: String,
        /// The type.
        r#type: String,
        /// The principal types.
        principal_types: Vec<String>,
        /// Whether `allowedInCustomRoles` is set.
        allowed_in_custom_roles: bool,
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
        /// `phishThreat`.
        PhishThreat = "phishThreat",
        /// `server`.
        Server = "server",
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
    /// The permission set principal type.
    pub enum PermissionSetPrincipalType {
        /// `service`.
        Service = "service",
        /// `user`.
        User = "user",
    }
}

operation! {
    /// Lists all partner roles.
    pub struct ListRoles = GET "/partner/v1/roles" (partner global)
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
    /// Creates a new partner role.
    pub struct CreateRole = POST "/partner/v1/roles" (partner global)
        -> Role {
        /// The fields to return.
        query fields: [String],
        /// The name.
        name: String,
        /// The permission sets.
        permission_sets: [String],
        /// The principal type.
        principal_type: RolePrincipalType,
        /// The description.
        description: String,
    }
}

operation! {
    /// Deletes a partner role by ID.
    pub struct DeleteRole = DELETE "/partner/v1/roles/:roleId" (partner global)
        -> Deleted {
        /// The role id.
        role_id!: String,
    }
}

operation! {
    /// Gets partner role by ID.
    pub struct GetRole = GET "/partner/v1/roles/:roleId" (partner global)
        -> Role {
        /// The role id.
        role_id!: String,
        /// The fields to return.
        fields: [String],
    }
}

operation! {
    /// Updates an existing partner role.
    pub struct UpdateRole = PATCH "/partner/v1/roles/:roleId" (partner global)
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
        permission_sets: [String],
    }
}

operation! {
    /// Gets permission set details.
    pub struct ListPermissionSets = GET "/partner/v1/roles/permission-sets" (partner global)
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
