//! The two SIEM feeds, and their pages with the service's time.

use std::time::Duration;

use sophos_api::{
    ApiClient, CursorPage, Operation, Paged, TenantClient, Transport,
    operations::siem::{MIN_PAGE_SIZE, alerts::ListSiemAlerts, events::ListSiemEvents},
};
use tokio::task::JoinHandle;

use crate::{
    checkpoint::StartPosition,
    clock::{RunClock, excess_skew},
    error::Error,
    page_size::reduce_page_size,
};

/// The two feeds, which differ in name only.
pub(crate) trait SiemFeed: Paged<Response = CursorPage<<Self as Paged>::Item>> + 'static {
    fn from_start(start: StartPosition, limit: u32) -> Self;
    /// The maximum number of records of a page.
    fn limit(&self) -> u32;
    fn with_limit(self, limit: u32) -> Self;
}

macro_rules! impl_siem_feed {
    ($($operation:ty)+) => {$(
        impl SiemFeed for $operation {
            fn from_start(start: StartPosition, limit: u32) -> Self {
                let (cursor, from_date) = start.into_query();
                let mut operation = Self::new().limit(limit);
                (operation.cursor, operation.from_date) = (cursor, from_date);
                operation
            }

            fn limit(&self) -> u32 {
                self.limit.unwrap_or(MIN_PAGE_SIZE)
            }

            fn with_limit(self, limit: u32) -> Self {
                self.limit(limit)
            }
        }
    )+};
}

impl_siem_feed! { ListSiemEvents ListSiemAlerts }

impl StartPosition {
    fn into_query(self) -> (Option<String>, Option<i64>) {
        match self {
            Self::Earliest => (None, None),
            Self::Cursor(cursor) => (Some(cursor), None),
            Self::FromDate(seconds) => (None, Some(seconds)),
        }
    }
}

/// A page with the service's times of the request and of the response.
pub(crate) struct TimedPage<P> {
    pub(crate) page: P,
    pub(crate) requested_ms: i64,
    pub(crate) received_ms: i64,
}

/// A page and its operation, with the limit that fitted.
pub(crate) type Fetched<O> = (O, TimedPage<<O as Operation>::Response>);

pub(crate) type PageTask<O> = JoinHandle<Result<Fetched<O>, sophos_api::Error>>;

/// Requests a page. Halves the limit while the response is too large.
pub(crate) async fn fetch_fitting_page<T: Transport, O: SiemFeed>(
    client: &TenantClient<T>,
    mut operation: O,
    max_skew: Duration,
) -> Result<Fetched<O>, sophos_api::Error> {
    loop {
        match fetch_page(client, &operation, max_skew).await {
            Ok(page) => return Ok((operation, page)),
            Err(error) => {
                let tenant_id = client.id().as_str();
                let limit = reduce_page_size(tenant_id, &error, operation.limit(), MIN_PAGE_SIZE);
                operation = operation.with_limit(limit.ok_or(error)?);
            }
        }
    }
}

pub(crate) async fn fetch_page<T: Transport, O: SiemFeed>(
    client: &TenantClient<T>,
    operation: &O,
    max_skew: Duration,
) -> Result<TimedPage<O::Response>, sophos_api::Error> {
    let clock = client.client().transport();
    let started = clock.now();
    let page = client.send(operation).await?;
    let latency = clock.now().saturating_sub(started);
    if let Some(skew) = excess_skew(client, max_skew) {
        tracing::warn!(
            event = "service_clock_rejected",
            tenant_id = client.id().as_str(),
            skew_seconds = skew.as_secs(),
            "the service's clock differs too much from the local clock; using the local clock"
        );
    }
    let received_ms = client.now_ms(max_skew);
    Ok(TimedPage { page, requested_ms: received_ms - latency.as_millis() as i64, received_ms })
}

pub(crate) async fn join_page<O: SiemFeed>(fetch: PageTask<O>) -> Result<Fetched<O>, Error> {
    Ok(fetch.await??)
}
