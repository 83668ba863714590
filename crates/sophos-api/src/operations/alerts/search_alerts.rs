//! `POST /common/v1/alerts/search`

use bytes::Bytes;
use serde::Serialize;

use super::ListAlerts;
use crate::{
    Error, KeyedPage, Operation, Paged, Raw, Route,
    models::Alert,
    page_body::{UnreadableItem, salvage_page},
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
    const ROUTE: Route = Route::post("/common/v1/alerts/search").repeatable();

    fn read(response: &http::Response<Bytes>) -> Result<KeyedPage<Alert>, Error> {
        salvage_page(response)
    }
}

impl Paged for SearchAlerts {
    type Item = Alert;

    fn next(&self, answer: &KeyedPage<Alert>) -> Result<Option<Self>, Error> {
        Ok(self.filter.next(answer)?.map(|filter| Self { filter }))
    }

    fn unreadable(answer: &KeyedPage<Alert>) -> &[UnreadableItem] {
        &answer.unreadable
    }

    fn items(answer: KeyedPage<Alert>) -> Vec<Raw<Alert>> {
        answer.items
    }
}
