//! The two feeds, and their pages with the service's time.

use std::time::Duration;

use sophos_api::{
    Caller, CursorPage, Paged, TenantClient, Transport,
    operations::siem::{LARGEST_PAGE, ListSiemAlerts, ListSiemEvents},
};
use tokio::task::JoinHandle;

use crate::{
    clock::{excess_skew, now_ms},
    error::Error,
    feed::Start,
};

/// The two feeds, which differ in name only.
pub(crate) trait Feed: Paged<Response = CursorPage<<Self as Paged>::Item>> + 'static {
    fn first(start: Start) -> Self;
}

impl Feed for ListSiemEvents {
    fn first(start: Start) -> Self {
        let (cursor, from_date) = start.parts();
        Self { limit: Some(LARGEST_PAGE), cursor, from_date, ..Self::default() }
    }
}

impl Feed for ListSiemAlerts {
    fn first(start: Start) -> Self {
        let (cursor, from_date) = start.parts();
        Self { limit: Some(LARGEST_PAGE), cursor, from_date }
    }
}

impl Start {
    fn parts(self) -> (Option<String>, Option<i64>) {
        match self {
            Self::Everything => (None, None),
            Self::Cursor(cursor) => (Some(cursor), None),
            Self::From(seconds) => (None, Some(seconds)),
        }
    }
}

/// A page, and the service's time when it was asked for and when it came.
pub(crate) struct Answer<P> {
    pub(crate) page: P,
    pub(crate) asked_ms: i64,
    pub(crate) answered_ms: i64,
}

pub(crate) type Fetch<P> = JoinHandle<Result<Answer<P>, sophos_api::Error>>;

pub(crate) async fn ask<T: Transport, O: Feed>(
    client: &TenantClient<T>,
    operation: &O,
    max_skew: Duration,
) -> Result<Answer<O::Response>, sophos_api::Error> {
    let clock = client.client().transport();
    let begun = clock.now();
    let page = client.send(operation).await?;
    let took = clock.now().saturating_sub(begun);
    if let Some(skew) = excess_skew(client, max_skew) {
        let (event, tenant, skew_seconds) =
            ("service_clock_not_believed", client.id().as_str(), skew.as_secs());
        tracing::warn!(
            event,
            tenant,
            skew_seconds,
            "the service's time is far from this clock, which counts"
        );
    }
    let answered_ms = now_ms(client, max_skew);
    Ok(Answer { page, asked_ms: answered_ms - took.as_millis() as i64, answered_ms })
}

pub(crate) async fn fetched<P>(fetch: Fetch<P>) -> Result<Answer<P>, Error> {
    Ok(fetch.await??)
}
