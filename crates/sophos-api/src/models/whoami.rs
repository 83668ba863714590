use crate::model::{model, open_enum};

model! {
    /// Who a credential belongs to. Sent by `GET /whoami/v1`.
    pub struct Whoami {
        /// The id of the partner, organization or tenant, in either case.
        id!: String,
        /// Which of the three it is.
        id_type: IdType,
        /// The hosts to use.
        api_hosts: ApiHosts,
    }
}

model! {
    /// The hosts that the service hands out. Seen with `http://`, with a slash
    /// at the end, and empty; [`Hosts::validate_host`](crate::Hosts::validate_host) checks them.
    pub struct ApiHosts {
        /// The host of operations that are not a tenant's.
        global: String,
        /// The host of the tenant's data region; a tenant's credential only.
        data_region: String,
    }
}

open_enum! {
    /// What a credential belongs to.
    pub enum IdType {
        /// A partner, who manages tenants of many customers (Central Partner).
        Partner = "partner",
        /// An organization with several tenants (Central Enterprise).
        Organization = "organization",
        /// One tenant (Central Admin).
        Tenant = "tenant",
    }
}
