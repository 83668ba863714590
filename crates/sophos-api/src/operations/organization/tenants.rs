//! Tenants of an organization: `/organization/v1/tenants`.

use crate::{
    Error, NumberedPage, WithRaw,
    client::tenant_list::MAX_TENANT_PAGE_SIZE,
    models::Tenant,
    operation::{
        checks::check_positive,
        macros::{listed, operation},
    },
};

operation! {
    /// Lists the tenants of the organization.
    ///
    /// A listed tenant may still reject every request with 403: this account does
    /// not manage it, or its trial is over.
    pub struct ListOrganizationTenants = GET "/organization/v1/tenants" (organization global) -> NumberedPage<Tenant> {
        /// The number of the page, from 1.
        page: u64,
        /// Tenants per page, 1 to 100; 50 by default.
        page_size: u32,
        /// Whether the response holds the number of pages and tenants.
        page_total: bool,
    }
    where { page_size: 1..=MAX_TENANT_PAGE_SIZE as i64, ..Self::check }
}

impl ListOrganizationTenants {
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
    /// Returns a tenant of the organization.
    pub struct GetOrganizationTenant = GET "/organization/v1/tenants/:tenantId" (organization global) -> WithRaw<Tenant> {
        /// The tenant's id.
        tenant_id!: String,
    }
}

listed! {
    ListOrganizationTenants
    GetOrganizationTenant
}
