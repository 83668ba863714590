//! `GET /common/v1/alerts`

use bytes::Bytes;
use serde::Serialize;

use crate::{
    Error, KeyedPage, Operation, Paged, Raw, Route,
    checks::{check_positive, check_time},
    models::{Alert, AlertCategory, AlertSeverity, Product},
    page_body::{MalformedItem, parse_page_lenient},
    setters::with_setters,
};

with_setters! {
    /// Lists a tenant's alerts.
    #[derive(Debug, Clone, Default, PartialEq, Serialize)]
    #[serde(rename_all = "camelCase")]
    #[non_exhaustive]
    pub struct ListAlerts {
        /// The earliest `raisedAt`, as `2026-11-23T10:00:00.000Z`.
        pub from: Option<String>,
        /// The end of the interval of `raisedAt`, exclusive.
        pub to: Option<String>,
        /// The group of the alerts.
        pub group_key: Option<String>,
        /// The products that raised the alerts.
        pub product: Vec<Product>,
        /// The categories of the alerts.
        pub category: Vec<AlertCategory>,
        /// The severities of the alerts.
        pub severity: Vec<AlertSeverity>,
        /// The ids of the alerts.
        pub ids: Vec<String>,
        /// The order, such as `raisedAt:asc`. The service rejects it for some
        /// tenants.
        pub sort: Vec<String>,
        /// The fields to return; `id` is always one of them.
        pub fields: Vec<String>,
        /// Alerts per page, 50 by default. The service reduces a larger value
        /// to its maximum.
        pub page_size: Option<u32>,
        /// The key of the page.
        pub page_from_key: Option<String>,
        /// Whether the response holds the number of pages and alerts.
        pub page_total: Option<bool>,
    }
}

impl ListAlerts {
    /// Lists all alerts.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Operation for ListAlerts {
    type Response = KeyedPage<Alert>;
    const ROUTE: Route = Route::get("/common/v1/alerts");

    fn validate(&self) -> Result<(), Error> {
        check_time("from", self.from.as_deref())?;
        check_time("to", self.to.as_deref())?;
        check_positive("page_size", self.page_size)
    }

    fn parse_response(response: &http::Response<Bytes>) -> Result<KeyedPage<Alert>, Error> {
        parse_page_lenient(response)
    }
}

impl Paged for ListAlerts {
    type Item = Alert;

    fn next_page(&self, page: &KeyedPage<Alert>) -> Result<Option<Self>, Error> {
        let key = page.next_page_key(self.page_from_key.as_deref())?;
        Ok(key.map(|key| Self { page_from_key: Some(key), ..self.clone() }))
    }

    fn malformed_items(page: &KeyedPage<Alert>) -> &[MalformedItem] {
        &page.malformed_items
    }

    fn items(page: KeyedPage<Alert>) -> Vec<Raw<Alert>> {
        page.items
    }
}
