use crate::models::{
    macros::{model, open_enum},
    tenant_id::TenantId,
};

model! {
    /// A tenant in the list of a partner or an organization.
    pub struct Tenant {
        /// The tenant's id.
        id!: TenantId,
        /// The name.
        name: String,
        /// The display name.
        show_as: String,
        /// The country code of the data, such as `IE`.
        data_geography: String,
        /// The code of the data region, such as `eu01`.
        data_region: String,
        /// The billing type.
        billing_type: BillingType,
        /// The managing partner.
        partner: Reference,
        /// The organization of the tenant.
        organization: Reference,
        /// The host of the tenant. Sometimes missing.
        api_host: String,
        /// The undocumented status, such as `active`.
        status: String,
    }
}

model! {
    /// A reference to another object: its id, and sometimes its name.
    pub struct Reference {
        /// The id.
        id as id: String,
        /// The name.
        name: String,
    }
}

open_enum! {
    /// The billing of a tenant.
    pub enum BillingType {
        /// For a term.
        Term = "term",
        /// A trial.
        Trial = "trial",
        /// By usage.
        Usage = "usage",
    }
}
