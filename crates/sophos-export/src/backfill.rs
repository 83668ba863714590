//! Backfill of gaps from the Common API, which keeps alerts for 90 days.

use jiff::Timestamp;
use sophos_api::{
    ApiClient, ErrorKind, MalformedItem, Paged, Raw, TenantClient, Transport, models::Alert,
    operations::common::alerts::ListAlerts,
};

use crate::{commit_log::Backfill, encode::to_rfc3339_millis, error::Error, page_size::reduce_page_size};

/// The source in the rows of a backfill.
pub(crate) const SOURCE: &str = "common/v1/alerts";

/// The initial alerts of a page: the largest size in recorded responses. A response
/// that allows more raises it.
const INITIAL_PAGE_SIZE: u32 = 100;
const MAX_PAGE_SIZE: u32 = 1_000;

/// A page of a backfill.
pub(crate) struct BackfillPage {
    pub(crate) alerts: Vec<Raw<Alert>>,
    /// Alerts that are not JSON.
    pub(crate) malformed: Vec<MalformedItem>,
    /// The rest of the backfill; `None` at the end.
    pub(crate) remaining: Option<Backfill>,
}

/// Reads the pages of one gap.
#[derive(Debug)]
pub(crate) struct BackfillReader<'a, T> {
    client: &'a TenantClient<T>,
    page_size: u32,
    /// The largest size that fits into a response, as far as it is known.
    max_page_size: u32,
}

impl<'a, T: Transport> BackfillReader<'a, T> {
    pub(crate) fn new(client: &'a TenantClient<T>) -> Self {
        Self { client, page_size: INITIAL_PAGE_SIZE, max_page_size: MAX_PAGE_SIZE }
    }

    /// Reads the next page of this backfill. Halves the page while the response is too
    /// large.
    pub(crate) async fn fetch_page(&mut self, backfill: &Backfill) -> Result<BackfillPage, Error> {
        let at = |ms| Timestamp::from_millisecond(ms).ok().map(to_rfc3339_millis).map(Into::into);
        let mut operation = ListAlerts::new().page_size(self.page_size);
        (operation.from, operation.to) = (at(backfill.gap.from_ms), at(backfill.gap.to_ms));
        operation.page_from_key.clone_from(&backfill.next_key);
        let response = loop {
            match self.client.send(&operation).await {
                Ok(response) => break response,
                Err(error) => {
                    let tenant_id = self.client.id().as_str();
                    let size = reduce_page_size(tenant_id, &error, self.page_size, 1).ok_or(error)?;
                    (self.page_size, self.max_page_size) = (size, size);
                    operation.page_size = Some(size);
                }
            }
        };
        if let Some(max) = response.pages.max_size.filter(|max| *max > 0) {
            self.page_size = max.min(self.max_page_size.into()) as u32;
        }
        let next_key = operation.next_page(&response)?.and_then(|next| next.page_from_key);
        let remaining = next_key.map(|key| Backfill { gap: backfill.gap, next_key: Some(key) });
        Ok(BackfillPage { alerts: response.items, malformed: response.malformed_items, remaining })
    }
}

/// Whether a single alert is too large. The key of the next alert is unknown then, so
/// the rest is abandoned.
pub(crate) fn is_too_large(error: &Error) -> bool {
    matches!(error, Error::Service(error) if error.kind() == ErrorKind::TooLarge)
}

/// Whether the service rejects the page key of an earlier run. The rest cannot be told
/// from the alerts already read then, so it is abandoned.
pub(crate) fn is_key_rejected(error: &Error, backfill: &Backfill) -> bool {
    let Error::Service(error) = error else { return false };
    backfill.next_key.is_some() && error.kind() == ErrorKind::Invalid && error.status().is_some()
}
