//! `GET /partner/v1/tenants`

use bytes::Bytes;
use serde::Serialize;

use crate::{
    Error, NumberedPage, Operation, Paged, Raw, Route, ScopeHeader,
    models::Tenant,
    page_body::{MalformedItem, parse_page_lenient},
    tenant_list::MAX_TENANT_PAGE_SIZE,
};

/// Lists the tenants of the partner.
///
/// A tenant in the list may still answer 403 to everything: it is not managed
/// by this account, or its trial is over.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ListPartnerTenants {
    /// The page, from 1.
    pub page: Option<u64>,
    /// Tenants a page; 50 if not given, 100 at most.
    pub page_size: Option<u32>,
    /// Whether the answer tells the number of pages and tenants.
    pub page_total: Option<bool>,
    /// The members to send; `id` is always sent.
    pub fields: Vec<String>,
}

impl ListPartnerTenants {
    /// All tenants, in the fewest pages.
    pub fn all() -> Self {
        Self::with_page_size(MAX_TENANT_PAGE_SIZE)
    }

    /// All tenants, in pages of this size, 100 at most.
    pub(crate) fn with_page_size(page_size: u32) -> Self {
        Self { page_size: Some(page_size), page_total: Some(true), ..Self::default() }
    }
}

impl Operation for ListPartnerTenants {
    type Response = NumberedPage<Tenant>;
    const ROUTE: Route = Route::get("/partner/v1/tenants").global(ScopeHeader::Partner);

    fn parse_response(response: &http::Response<Bytes>) -> Result<NumberedPage<Tenant>, Error> {
        parse_page_lenient(response)
    }
}

impl Paged for ListPartnerTenants {
    type Item = Tenant;

    fn next_page(&self, answer: &NumberedPage<Tenant>) -> Result<Option<Self>, Error> {
        Ok(answer
            .next_page_number(self.page.unwrap_or(1))
            .map(|page| Self { page: Some(page), ..self.clone() }))
    }

    fn malformed_items(answer: &NumberedPage<Tenant>) -> &[MalformedItem] {
        &answer.malformed_items
    }

    fn items(answer: NumberedPage<Tenant>) -> Vec<Raw<Tenant>> {
        answer.items
    }
}
