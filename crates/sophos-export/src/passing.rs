//! The way around a page that is too large in its smallest form.

use sophos_api::{ErrorKind, Transport, operations::siem::MIN_PAGE_SIZE};

use crate::{
    checkpoint::StartPosition,
    cycle_detector::CycleDetector,
    siem_feed::{Fetched, SiemFeed, fetch_page},
    stream::{CommitBatch, StreamRun},
};

impl<T: Transport + 'static> StreamRun<'_, T> {
    /// Reads on after a page of which even the smallest form is too large, from
    /// the nearest time at which a page fits. What lies between is a gap.
    ///
    /// A cursor cannot be moved, but the feed can be read from any second: twice
    /// as far away at each attempt, then nearer, until the gap is as small as it
    /// gets.
    ///
    /// # Errors
    /// `too_large` if the end of the feed does not fit either; nothing is passed
    /// over then. Any other failure of an attempt: the next run tries again.
    pub(crate) async fn pass_over<O: SiemFeed>(
        &self,
        walk: &mut CycleDetector,
        segment: &mut CommitBatch,
        too_large: sophos_api::Error,
    ) -> Result<Fetched<O>, sophos_api::Error> {
        let now_ms = self.now_ms();
        let (first, end) = (segment.tracker.unread_from_seconds(now_ms), now_ms.div_euclid(1_000));
        if first >= end {
            return Err(too_large);
        }
        let (mut too_early, mut fits_at) = (first, end);
        let Some(mut fitting) = self.fitting_from::<O>(end).await? else { return Err(too_large) };
        let mut step = 1;
        while first + step < fits_at {
            match self.fitting_from(first + step).await? {
                Some(fetched) => (fits_at, fitting) = (first + step, fetched),
                None => (too_early, step) = (first + step, step * 2),
            }
        }
        while fits_at - too_early > 1 {
            let middle = too_early + (fits_at - too_early) / 2;
            match self.fitting_from(middle).await? {
                Some(fetched) => (fits_at, fitting) = (middle, fetched),
                None => too_early = middle,
            }
        }
        let gap = segment.tracker.pass_over(fits_at * 1_000, now_ms);
        segment.gaps.push(gap);
        let (event, tenant, dataset) = ("page_passed_over", &self.stream.tenant, self.stream.dataset);
        let (from_ms, to_ms) = (gap.from_ms, gap.to_ms);
        tracing::error!(
            event,
            tenant,
            %dataset,
            from_ms,
            to_ms,
            error = %too_large,
            "records of the feed do not fit into the smallest page, and are a gap"
        );
        walk.passed_over = Some(too_large);
        Ok(fitting)
    }

    /// The smallest page from this second on, if it is not too large.
    async fn fitting_from<O: SiemFeed>(&self, seconds: i64) -> Result<Option<Fetched<O>>, sophos_api::Error> {
        let operation = O::from_start(StartPosition::FromDate(seconds), MIN_PAGE_SIZE);
        match fetch_page(&self.client, &operation, self.settings.max_service_skew).await {
            Ok(answer) => Ok(Some((operation, answer))),
            Err(error) if error.kind() == ErrorKind::TooLarge => Ok(None),
            Err(error) => Err(error),
        }
    }
}
