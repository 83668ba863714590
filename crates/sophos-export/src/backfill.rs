//! What the feed lost, from the Common API, which keeps alerts for 90 days.

use jiff::Timestamp;
use sophos_api::{
    ApiClient, ErrorKind, MalformedItem, Paged, Raw, TenantClient, Transport, models::Alert,
    operations::alerts::ListAlerts,
};

use crate::{commit_log::Backfill, encode::to_rfc3339_millis, error::Error};

/// Rows of a backfill name this source.
pub(crate) const SOURCE: &str = "common/v1/alerts";

/// Alerts a page to begin with: the largest size that recorded answers allow.
/// An answer that allows more is taken at its word.
const INITIAL_PAGE_SIZE: u32 = 100;
const MAX_PAGE_SIZE: u32 = 1_000;

/// A page of a backfill.
pub(crate) struct BackfillPage {
    pub(crate) alerts: Vec<Raw<Alert>>,
    /// Those that are not JSON.
    pub(crate) unreadable: Vec<MalformedItem>,
    /// What is left to read; `None` at the end.
    pub(crate) remaining: Option<Backfill>,
}

/// Reads the pages of one gap.
#[derive(Debug)]
pub(crate) struct BackfillReader<'a, T> {
    client: &'a TenantClient<T>,
    page_size: u32,
    /// The largest size that fits into an answer, as far as it is known.
    max_page_size: u32,
}

impl<'a, T: Transport> BackfillReader<'a, T> {
    pub(crate) fn new(client: &'a TenantClient<T>) -> Self {
        Self { client, page_size: INITIAL_PAGE_SIZE, max_page_size: MAX_PAGE_SIZE }
    }

    /// Reads the next page of this backfill, and a smaller one as long as it is too
    /// large.
    pub(crate) async fn fetch_page(&mut self, backfill: &Backfill) -> Result<BackfillPage, Error> {
        let at = |ms| Timestamp::from_millisecond(ms).ok().map(to_rfc3339_millis);
        let mut operation = ListAlerts::new().page_size(self.page_size);
        (operation.from, operation.to) = (at(backfill.gap.from_ms), at(backfill.gap.to_ms));
        operation.page_from_key.clone_from(&backfill.next_key);
        let answer = loop {
            match self.client.send(&operation).await {
                Err(error) if error.kind() == ErrorKind::TooLarge && self.page_size > 1 => {
                    self.page_size /= 2;
                    self.max_page_size = self.page_size;
                    operation.page_size = Some(self.page_size);
                }
                answer => break answer?,
            }
        };
        if let Some(most) = answer.pages.max_size.filter(|most| *most > 0) {
            self.page_size = most.min(self.max_page_size.into()) as u32;
        }
        let next_key = operation.next_page(&answer)?.and_then(|next| next.page_from_key);
        let rest = next_key.map(|key| Backfill { gap: backfill.gap, next_key: Some(key) });
        Ok(BackfillPage { alerts: answer.items, unreadable: answer.malformed_items, remaining: rest })
    }
}

/// Whether a single alert is too large. There is no key of the one after it, so
/// the rest is given up.
pub(crate) fn is_too_large(error: &Error) -> bool {
    matches!(error, Error::Service(error) if error.kind() == ErrorKind::TooLarge)
}

/// Whether the service refuses to go on from a key of an earlier run. What was
/// read before cannot be told from the rest then, so the rest is given up.
pub(crate) fn is_key_rejected(error: &Error, backfill: &Backfill) -> bool {
    let Error::Service(error) = error else { return false };
    backfill.next_key.is_some() && error.kind() == ErrorKind::Invalid && error.status().is_some()
}
