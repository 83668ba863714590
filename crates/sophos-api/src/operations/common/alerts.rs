//! Alerts of a tenant, kept for 90 days: `/common/v1/alerts`.

use bytes::Bytes;
use serde::Serialize;

use crate::{
    Error, KeyedPage, Operation, Paged, Raw, Route, Timestamp, WithRaw,
    models::{Alert, AlertAction, AlertActionKind, AlertCategory, AlertSeverity, Product},
    operation::{
        checks::{check_positive, check_time},
        macros::{listed, operation},
    },
    paging::{MalformedItem, body::parse_page_lenient},
};

operation! {
    /// Lists a tenant's alerts.
    pub struct ListAlerts = GET "/common/v1/alerts" (tenant) -> KeyedPage<Alert> {
        /// The earliest `raisedAt`, with a zone: `2026-11-23T10:00:00.000Z`.
        from: Timestamp,
        /// The end of the interval of `raisedAt`, exclusive.
        to: Timestamp,
        /// The group of the alerts.
        group_key: String,
        /// The products that raised the alerts.
        product: [Product],
        /// The categories of the alerts.
        category: [AlertCategory],
        /// The severities of the alerts.
        severity: [AlertSeverity],
        /// The ids of the alerts.
        ids: [String],
        /// The order, such as `raisedAt:asc`. The service rejects it for some
        /// tenants.
        sort: [String],
        /// The fields to return; `id` is always one of them.
        fields: [String],
        /// Alerts per page, 50 by default. The service reduces a larger value
        /// to its maximum.
        page_size: u32,
        /// The key of the page.
        page_from_key: String,
        /// Whether the response holds the number of pages and alerts.
        page_total: bool,
    }
    where { ..Self::check }
}

impl ListAlerts {
    fn check(&self) -> Result<(), Error> {
        check_time("from", self.from.as_ref().map(Timestamp::as_str))?;
        check_time("to", self.to.as_ref().map(Timestamp::as_str))?;
        check_positive("pageSize", self.page_size)
    }
}

/// Searches a tenant's alerts: the filters of [`ListAlerts`] in the body, which
/// has room for long lists of ids.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "catalog", derive(serde::Deserialize, schemars::JsonSchema))]
#[non_exhaustive]
pub struct SearchAlerts {
    /// The filters, and the page.
    #[serde(flatten)]
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

#[cfg(feature = "catalog")]
impl crate::catalog::Described for SearchAlerts {
    const DOCUMENTATION: &'static str =
        "Searches a tenant's alerts: the filters of [`ListAlerts`] in the body, which
\
        has room for long lists of ids.";
    const PARAMETERS: &'static [crate::catalog::ParameterName] = ListAlerts::FIELDS;
    const PAGING: crate::catalog::Paging = crate::catalog::Paging::Key;
}

#[cfg(test)]
impl crate::operation::tested::Sample for SearchAlerts {
    fn sample() -> Self {
        Self::new(crate::operation::tested::Sample::sample())
    }
}

operation! {
    /// Returns an alert.
    pub struct GetAlert = GET "/common/v1/alerts/:alertId" (tenant) -> WithRaw<Alert> {
        /// The alert's id.
        alert_id!: String,
    }
}

operation! {
    /// Requests an action on an alert.
    ///
    /// The action must be one of the alert's `allowedActions`, else the service
    /// responds with 400. No operation returns the action's later state.
    pub struct ActOnAlert = POST "/common/v1/alerts/:alertId/actions" (tenant)
        -> WithRaw<AlertAction> {
        /// The alert's id.
        alert_id!: String,
        /// The action.
        action!: AlertActionKind,
        /// A message for the record, and for actions that send one.
        message: String,
    }
}

listed! {
    ListAlerts
    SearchAlerts
    GetAlert
    ActOnAlert
}
