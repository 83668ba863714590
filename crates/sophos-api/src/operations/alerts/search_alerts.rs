//! `POST /common/v1/alerts/search`

use bytes::Bytes;
use serde::Serialize;

use super::ListAlerts;
use crate::{
    Error, KeyedPage, Operation, Paged, Raw, Route,
    models::Alert,
    page_body::{MalformedItem, parse_page_lenient},
};

/// Searches a tenant's alerts: the filters of [`ListAlerts`] in the body, where
/// long lists of ids fit.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub struct SearchAlerts {
    /// What to look for, and which page of it.
    pub filter: ListAlerts,
}

impl Operation for SearchAlerts {
    type Response = KeyedPage<Alert>;
    const ROUTE: Route = Route::post("/common/v1/alerts/search").idempotent();

    fn parse_response(response: &http::Response<Bytes>) -> Result<KeyedPage<Alert>, Error> {
        parse_page_lenient(response)
    }
}

impl Paged for SearchAlerts {
    type Item = Alert;

    fn next_page(&self, answer: &KeyedPage<Alert>) -> Result<Option<Self>, Error> {
        Ok(self.filter.next_page(answer)?.map(|filter| Self { filter }))
    }

    fn malformed_items(answer: &KeyedPage<Alert>) -> &[MalformedItem] {
        &answer.malformed_items
    }

    fn items(answer: KeyedPage<Alert>) -> Vec<Raw<Alert>> {
        answer.items
    }
}
