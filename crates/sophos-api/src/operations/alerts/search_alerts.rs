//! `POST /common/v1/alerts/search`

use bytes::Bytes;
use serde::Serialize;

use super::ListAlerts;
use crate::{
    Error, KeyedPage, Operation, Paged, Raw, Route,
    models::Alert,
    page_body::{MalformedItem, parse_page_lenient},
};

/// Searches a tenant's alerts: the filters of [`ListAlerts`] in the body, which
/// has room for long lists of ids.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(transparent)]
#[non_exhaustive]
pub struct SearchAlerts {
    /// The filters, and the page.
    pub filter: ListAlerts,
}

impl SearchAlerts {
    /// Searches with these filters.
    pub fn new(filter: ListAlerts) -> Self {
        Self { filter }
    }
}

impl Operation for SearchAlerts {
    type Response = KeyedPage<Alert>;
    const ROUTE: Route = Route::post("/common/v1/alerts/search").idempotent();

    fn validate(&self) -> Result<(), Error> {
        self.filter.validate()
    }

    fn parse_response(response: &http::Response<Bytes>) -> Result<KeyedPage<Alert>, Error> {
        parse_page_lenient(response)
    }
}

impl Paged for SearchAlerts {
    type Item = Alert;

    fn next_page(&self, page: &KeyedPage<Alert>) -> Result<Option<Self>, Error> {
        Ok(self.filter.next_page(page)?.map(Self::new))
    }

    fn malformed_items(page: &KeyedPage<Alert>) -> &[MalformedItem] {
        &page.malformed_items
    }

    fn items(page: KeyedPage<Alert>) -> Vec<Raw<Alert>> {
        page.items
    }
}
