use crate::{
    model::{model, open_enum},
    tenant_id::TenantId,
};

model! {
    /// A tenant in the list of a partner or an organization.
    pub struct Tenant {
        /// The tenant's id.
        id!: TenantId,
        /// Its name.
        name: String,
        /// The name to show.
        show_as: String,
        /// The country code of where its data is kept, such as `IE`.
        data_geography: String,
        /// The code of its data region, such as `eu01`.
        data_region: String,
        /// How it is billed.
        billing_type: BillingType,
        /// The partner that manages it.
        partner: Reference,
        /// The organization that it belongs to.
        organization: Reference,
        /// The host that answers for it. Sometimes missing.
        api_host: String,
        /// Its state, such as `active`. In recorded answers, in no document.
        status: String,
    }
}

model! {
    /// Another object, by id and sometimes by name.
    pub struct Reference {
        /// Its id.
        id as id: String,
        /// Its name.
        name: String,
    }
}

open_enum! {
    /// How a tenant is billed.
    pub enum BillingType {
        /// For a term.
        Term = "term",
        /// Not yet: a trial.
        Trial = "trial",
        /// By usage.
        Usage = "usage",
    }
}
