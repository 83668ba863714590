//! The control of a run by its caller: a stop signal, and progress.

use std::{fmt, future::Future, sync::Arc};

use futures_util::future::{Either, select};
use tokio::sync::watch;

use crate::{announcement::Announcer, dataset::Dataset, report::StreamReport};

/// A signal that ends a run early. Clones share it.
///
/// A stopped run starts no further stream. Each active stream abandons its request,
/// commits what it has read, and reports [`has_more`](StreamReport::has_more).
#[derive(Debug, Clone)]
pub struct StopSignal(watch::Sender<bool>);

impl StopSignal {
    /// Creates a signal.
    pub fn new() -> Self {
        Self(watch::Sender::new(false))
    }

    /// Stops the run. Repeating this changes nothing.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }

    /// Whether the run was stopped.
    pub fn is_stopped(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until the run is stopped.
    pub async fn stopped(&self) {
        // The sender exists as long as this handle, so the wait cannot fail.
        let _ = self.0.subscribe().wait_for(|stopped| *stopped).await;
    }

    /// The output of a future; `None` if the run is stopped first.
    pub(crate) async fn unless_stopped<F: Future>(&self, work: F) -> Option<F::Output> {
        let (work, stopped) = (std::pin::pin!(work), std::pin::pin!(self.stopped()));
        match select(work, stopped).await {
            Either::Left((output, _)) => Some(output),
            Either::Right(_) => None,
        }
    }
}

impl Default for StopSignal {
    fn default() -> Self {
        Self::new()
    }
}

/// The progress of a run.
#[derive(Debug)]
#[non_exhaustive]
pub enum ExportProgress<'a> {
    /// The tenants are known.
    Started {
        /// The number of tenants.
        tenants: u64,
        /// The number of streams: one for each tenant and dataset.
        streams: u64,
    },
    /// A page was read. Its rows are not committed yet.
    PageRead {
        /// The tenant's id.
        tenant: &'a str,
        /// The dataset.
        dataset: Dataset,
        /// The number of records in the page.
        records: u64,
    },
    /// Rows or a checkpoint were committed.
    Committed {
        /// The tenant's id.
        tenant: &'a str,
        /// The dataset.
        dataset: Dataset,
        /// The number of rows in the commit.
        rows: u64,
        /// The time up to which the feed was read, in milliseconds since the Unix epoch.
        high_watermark_ms: i64,
    },
    /// A stream ended.
    Ended(&'a StreamReport),
}

type ProgressObserver = dyn Fn(&ExportProgress<'_>) + Send + Sync;

/// The stop signal, the observer and the announcer of a run.
#[derive(Clone, Default)]
pub(crate) struct RunControl {
    pub(crate) stop: StopSignal,
    pub(crate) observer: Option<Arc<ProgressObserver>>,
    pub(crate) announcer: Option<Arc<dyn Announcer>>,
}

impl RunControl {
    pub(crate) fn report(&self, progress: &ExportProgress<'_>) {
        if let Some(observer) = &self.observer {
            observer(progress);
        }
    }
}

impl fmt::Debug for RunControl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunControl").field("stop", &self.stop).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use super::*;

    #[tokio::test]
    async fn unless_stopped_ends_a_wait_when_stopped() {
        let signal = StopSignal::new();
        assert_eq!(signal.unless_stopped(ready(7)).await, Some(7));
        let (stopper, waiting) = (signal.clone(), signal.unless_stopped(pending::<()>()));
        let (ended, ()) = futures_util::future::join(waiting, async move { stopper.stop() }).await;
        assert_eq!(ended, None);
        assert!(signal.is_stopped());
    }
}
