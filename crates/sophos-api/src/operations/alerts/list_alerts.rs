//! `GET /common/v1/alerts`

use bytes::Bytes;
use serde::Serialize;

use crate::{
    Error, KeyedPage, Operation, Paged, Raw, Route,
    models::{Alert, AlertCategory, AlertSeverity, Product},
    page_body::{MalformedItem, parse_page_lenient},
};

/// Lists a tenant's alerts.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ListAlerts {
    /// Raised at this time or later, as `2026-11-23T10:00:00.000Z`.
    pub from: Option<String>,
    /// Raised before this time.
    pub to: Option<String>,
    /// Of this group.
    pub group_key: Option<String>,
    /// Raised by one of these products.
    pub product: Vec<Product>,
    /// Of one of these kinds.
    pub category: Vec<AlertCategory>,
    /// Of one of these severities.
    pub severity: Vec<AlertSeverity>,
    /// One of these.
    pub ids: Vec<String>,
    /// The order, such as `raisedAt:asc`. Some tenants' alerts refuse it.
    pub sort: Vec<String>,
    /// The members to send; `id` is always sent.
    pub fields: Vec<String>,
    /// Alerts a page; 50 if not given. A size above the largest is cut down.
    pub page_size: Option<u32>,
    /// The key of the page.
    pub page_from_key: Option<String>,
    /// Whether the answer tells the number of pages and alerts.
    pub page_total: Option<bool>,
}

impl Operation for ListAlerts {
    type Response = KeyedPage<Alert>;
    const ROUTE: Route = Route::get("/common/v1/alerts");

    fn parse_response(response: &http::Response<Bytes>) -> Result<KeyedPage<Alert>, Error> {
        parse_page_lenient(response)
    }
}

impl Paged for ListAlerts {
    type Item = Alert;

    fn next_page(&self, answer: &KeyedPage<Alert>) -> Result<Option<Self>, Error> {
        let key = answer.next_page_key(self.page_from_key.as_deref())?;
        Ok(key.map(|key| Self { page_from_key: Some(key), ..self.clone() }))
    }

    fn malformed_items(answer: &KeyedPage<Alert>) -> &[MalformedItem] {
        &answer.malformed_items
    }

    fn items(answer: KeyedPage<Alert>) -> Vec<Raw<Alert>> {
        answer.items
    }
}
