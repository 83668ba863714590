use crate::models::macros::{model, open_enum};

model! {
    /// The owner of a credential. Returned by `GET /whoami/v1`.
    pub struct Whoami {
        /// The id of the partner, organization or tenant, in either case.
        id!: String,
        /// The type of the owner.
        id_type: IdType,
        /// The hosts to use.
        api_hosts: ApiHosts,
    }
}

model! {
    /// The hosts in a response. Some have `http://` or a slash at the end, some are
    /// empty; [`Hosts::validate_host`](crate::Hosts::validate_host) checks them.
    pub struct ApiHosts {
        /// The global host.
        global: String,
        /// The host of the tenant's data region, for a tenant's credential.
        data_region: String,
    }
}

open_enum! {
    /// The type of a credential's owner.
    pub enum IdType {
        /// A partner, which manages tenants of many customers (Central Partner).
        Partner = "partner",
        /// An organization with several tenants (Central Enterprise).
        Organization = "organization",
        /// One tenant (Central Admin).
        Tenant = "tenant",
        /// A distributor, which sells to partners.
        Distributor = "distributor",
    }
}
