//! `GET /organization/v1/tenants`

use bytes::Bytes;
use serde::Serialize;

use crate::{
    Error, NumberedPage, Operation, Paged, Raw, Route, ScopeHeader,
    checks::{check_positive, check_range},
    models::Tenant,
    page_body::{MalformedItem, parse_page_lenient},
    setters::with_setters,
    tenant_list::MAX_TENANT_PAGE_SIZE,
};

with_setters! {
    /// Lists the tenants of the organization.
    ///
    /// A listed tenant may still reject every request with 403: this account does
    /// not manage it, or its trial is over.
    #[derive(Debug, Clone, Default, PartialEq, Serialize)]
    #[serde(rename_all = "camelCase")]
    #[non_exhaustive]
    pub struct ListOrganizationTenants {
        /// The number of the page, from 1.
        pub page: Option<u64>,
        /// Tenants per page, 1 to 100; 50 by default.
        pub page_size: Option<u32>,
        /// Whether the response holds the number of pages and tenants.
        pub page_total: Option<bool>,
    }
}

impl ListOrganizationTenants {
    /// Lists all tenants in pages of the default size.
    pub fn new() -> Self {
        Self::default()
    }

    /// Lists all tenants in the fewest pages.
    pub fn all() -> Self {
        Self::with_page_size(MAX_TENANT_PAGE_SIZE)
    }

    /// Lists all tenants in pages of this size, 100 at most.
    pub(crate) fn with_page_size(page_size: u32) -> Self {
        Self::new().page_size(page_size).page_total(true)
    }
}

impl Operation for ListOrganizationTenants {
    type Response = NumberedPage<Tenant>;
    const ROUTE: Route = Route::get("/organization/v1/tenants").global(ScopeHeader::Organization);

    fn validate(&self) -> Result<(), Error> {
        check_positive("page", self.page)?;
        check_range("page_size", self.page_size, 1..=MAX_TENANT_PAGE_SIZE)
    }

    fn parse_response(response: &http::Response<Bytes>) -> Result<NumberedPage<Tenant>, Error> {
        parse_page_lenient(response)
    }
}

impl Paged for ListOrganizationTenants {
    type Item = Tenant;

    fn next_page(&self, page: &NumberedPage<Tenant>) -> Result<Option<Self>, Error> {
        Ok(page
            .next_page_number(self.page.unwrap_or(1))
            .map(|page| Self { page: Some(page), ..self.clone() }))
    }

    fn malformed_items(page: &NumberedPage<Tenant>) -> &[MalformedItem] {
        &page.malformed_items
    }

    fn items(page: NumberedPage<Tenant>) -> Vec<Raw<Tenant>> {
        page.items
    }
}
