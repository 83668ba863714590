//! Tenants of a partner: `/partner/v1/tenants`.

use crate::{
    Error, NumberedPage, WithRaw,
    client::tenant_list::MAX_TENANT_PAGE_SIZE,
    models::{BillingType, Tenant, macros::model},
    operation::{
        checks::check_positive,
        macros::{listed, operation},
    },
};

operation! {
    /// Lists the tenants of the partner.
    ///
    /// A listed tenant may still reject every request with 403: this account does
    /// not manage it, or its trial is over.
    pub struct ListPartnerTenants = GET "/partner/v1/tenants" (partner global) -> NumberedPage<Tenant> {
        /// The number of the page, from 1.
        page: u64,
        /// Tenants per page, 1 to 100; 50 by default.
        page_size: u32,
        /// Whether the response holds the number of pages and tenants.
        page_total: bool,
        /// The fields to return; `id` is always one of them.
        fields: [String],
    }
    where { page_size: 1..=MAX_TENANT_PAGE_SIZE as i64, ..Self::check }
}

impl ListPartnerTenants {
    /// Lists all tenants in the fewest pages.
    pub fn all() -> Self {
        Self::with_page_size(MAX_TENANT_PAGE_SIZE)
    }

    /// Lists all tenants in pages of this size, 100 at most.
    pub(crate) fn with_page_size(page_size: u32) -> Self {
        Self::new().page_size(page_size).page_total(true)
    }

    fn check(&self) -> Result<(), Error> {
        check_positive("page", self.page)
    }
}

operation! {
    /// Returns a tenant of the partner.
    pub struct GetPartnerTenant = GET "/partner/v1/tenants/:tenantId" (partner global) -> WithRaw<Tenant> {
        /// The tenant's id.
        tenant_id!: String,
        /// The fields to return.
        fields: [String],
    }
}

operation! {
    /// Creates a tenant of a partner.
    pub struct CreateTenant = POST "/partner/v1/tenants" (partner global) -> Tenant {
        /// The name.
        name!: String,
        /// The country code of the data: `US`, `IE`, `DE`, `CA`, `AU`, `JP`, `BR` or `IN`.
        data_geography!: String,
        /// The contact person.
        contact!: Contact,
        /// The billing: `trial` or `usage`.
        billing_type!: BillingType,
        /// The fields to return; all if empty.
        query fields: [String],
        /// The display name.
        show_as: String,
    }
}

model! {
    /// The contact person of a new tenant.
    pub struct Contact with setters {
        /// The first name.
        first_name: String,
        /// The last name.
        last_name: String,
        /// The email address.
        email: String,
        /// The phone number.
        phone: String,
        /// The mobile number.
        mobile: String,
        /// The fax number.
        fax: String,
        /// The postal address.
        address: ContactAddress,
    }
}

model! {
    /// The postal address of a contact.
    pub struct ContactAddress with setters {
        /// The first line.
        address1: String,
        /// The second line.
        address2: String,
        /// The third line.
        address3: String,
        /// The city.
        city: String,
        /// The state.
        state: String,
        /// The country.
        country_code: String,
        /// The postal code.
        postal_code: String,
    }
}

listed! {
    ListPartnerTenants
    GetPartnerTenant
    CreateTenant
}
