//! Tenants: `/partner/v1/tenants` and the operations beside it.

use crate::{models::{Reference}, model::{model, open_enum}, operation_macro::{operation, tested}};

model! {
    /// A tenant.
    pub struct Tenant {
        /// The id.
        id!: String,
        /// The name.
        name: String,
        /// The data geography.
        data_geography: TenantDataGeography,
        /// The data region.
        data_region: TenantDataRegion,
        /// The billing type.
        billing_type: TenantBillingType,
        /// The partner.
        partner: Reference,
        /// The api host.
        api_host: String,
        /// The organization.
        organization: Reference,
        /// The show as.
        show_as: String,
    }
}

model! {
    /// A tenant contact.
    pub struct TenantContact {
        /// The first name.
        first_name: String,
        /// The last name.
        last_name: String,
        /// The email.
        email: String,
        /// The phone.
        phone: String,
        /// The mobile.
        mobile: String,
        /// The fax.
        fax: String,
        /// The address.
        address: TenantContactAddress,
    }
}

model! {
    /// A tenant contact address.
    pub struct TenantContactAddress {
        /// The address1.
        address1: String,
        /// The address2.
        address2: String,
        /// The address3.
        address3: String,
        /// The city.
        city: String,
        /// The state.
        state: String,
        /// The country code.
        country_code: String,
        /// The postal code.
        postal_code: String,
    }
}

open_enum! {
    /// The tenant data geography.
    pub enum TenantDataGeography {
        /// `AU`.
        Au = "AU",
        /// `CA`.
        Ca = "CA",
        /// `DE`.
        De = "DE",
        /// `IE`.
        Ie = "IE",
        /// `JP`.
        Jp = "JP",
        /// `US`.
        Us = "US",
    }
}

open_enum! {
    /// The tenant data region.
    pub enum TenantDataRegion {
        /// `au01`.
        Au01 = "au01",
        /// `ca01`.
        Ca01 = "ca01",
        /// `jp01`.
        Jp01 = "jp01",
        /// `us01`.
        Us01 = "us01",
        /// `us02`.
        Us02 = "us02",
        /// `us03`.
        Us03 = "us03",
    }
}

open_enum! {
    /// The tenant billing type.
    pub enum TenantBillingType {
        /// `term`.
        Term = "term",
        /// `trial`.
        Trial = "trial",
        /// `usage`.
        Usage = "usage",
    }
}

operation! {
    /// Creates a new tenant.
    pub struct CreateTenant = POST "/partner/v1/tenants" (partner global)
        -> Tenant {
        /// The fields to return.
        query fields: [String],
        /// The name.
        name: String,
        /// The data geography.
        data_geography: TenantDataGeography,
        /// The contact.
        contact: TenantContact,
        /// The billing type.
        billing_type: TenantBillingType,
        /// The show as.
        show_as: String,
    }
}

tested! {
    CreateTenant
}
