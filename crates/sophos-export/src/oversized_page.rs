//! Skipping a page that is too large even with the smallest limit.

use sophos_api::{ErrorKind, TenantClient, Transport, operations::siem::MIN_PAGE_SIZE};

use crate::{
    checkpoint::StartPosition,
    cycle_detector::CycleDetector,
    siem_feed::{Fetched, SiemFeed, fetch_page},
    stream::{CommitBatch, StreamRun},
};

impl<T: Transport + 'static> StreamRun<'_, TenantClient<T>> {
    /// Continues after an oversized page, from the nearest time at which a page fits.
    /// The interval between is a gap.
    ///
    /// A cursor cannot be moved, but the feed can be read from any second. The distance
    /// doubles with each attempt; then a binary search makes the gap minimal.
    ///
    /// # Errors
    /// `too_large` if the end of the feed is too large as well; nothing is skipped then.
    /// The error of an attempt that fails otherwise: the next run tries again.
    pub(crate) async fn skip_oversized_page<O: SiemFeed>(
        &self,
        cycle: &mut CycleDetector,
        batch: &mut CommitBatch,
        too_large: sophos_api::Error,
    ) -> Result<Fetched<O>, sophos_api::Error> {
        let now_ms = self.now_ms();
        let (first, end) = (batch.tracker.unread_from_seconds(now_ms), now_ms.div_euclid(1_000));
        if first >= end {
            return Err(too_large);
        }
        let (mut too_early, mut fits_at) = (first, end);
        let Some(mut fitting) = self.fetch_smallest_page::<O>(end).await? else { return Err(too_large) };
        let mut step = 1;
        while first + step < fits_at {
            match self.fetch_smallest_page(first + step).await? {
                Some(fetched) => (fits_at, fitting) = (first + step, fetched),
                None => (too_early, step) = (first + step, step * 2),
            }
        }
        while fits_at - too_early > 1 {
            let middle = too_early + (fits_at - too_early) / 2;
            match self.fetch_smallest_page(middle).await? {
                Some(fetched) => (fits_at, fitting) = (middle, fetched),
                None => too_early = middle,
            }
        }
        let gap = batch.tracker.skip_to(fits_at * 1_000, now_ms);
        batch.gaps.push(gap);
        tracing::error!(
            event = "page_skipped",
            tenant_id = self.stream.tenant,
            dataset = %self.stream.dataset,
            from_ms = gap.from_ms,
            to_ms = gap.to_ms,
            error = %too_large,
            "skipped records of the feed that exceed the response limit; their interval is a gap"
        );
        cycle.skipped_page_error = Some(too_large);
        Ok(fitting)
    }

    /// The smallest page from this second on; `None` if it is too large.
    async fn fetch_smallest_page<O: SiemFeed>(
        &self,
        seconds: i64,
    ) -> Result<Option<Fetched<O>>, sophos_api::Error> {
        let operation = O::from_start(StartPosition::FromDate(seconds), MIN_PAGE_SIZE);
        match fetch_page(&self.client, &operation, self.settings.max_service_skew).await {
            Ok(page) => Ok(Some((operation, page))),
            Err(error) if error.kind() == ErrorKind::TooLarge => Ok(None),
            Err(error) => Err(error),
        }
    }
}
