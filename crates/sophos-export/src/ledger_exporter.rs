use std::{fmt, sync::Arc, time::Duration};

use sophos_store::Store;

use crate::{
    announcement::Announcer,
    clock::LocalClock,
    commit_log::StreamId,
    export::ExportSettings,
    ledger_run::LedgerRun,
    report::StreamReport,
    run_control::{ExportProgress, RunControl, StopSignal},
    stream::StreamRun,
};

/// Exports the ledger of isolation: one row for each transition of its decisions, as
/// [`Dataset::Isolations`](crate::Dataset::Isolations).
///
/// A ledger has the decisions of all tenants, so it is one stream, that of
/// [`StreamId::of_ledger`]. It needs no credential of Sophos Central, and only reads the
/// ledger.
pub struct LedgerExporter {
    ledger: Store,
    store: Store,
    settings: ExportSettings,
    control: RunControl,
}

impl fmt::Debug for LedgerExporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LedgerExporter").field("ledger", &self.ledger).finish_non_exhaustive()
    }
}

impl LedgerExporter {
    /// Creates an exporter of a ledger to the store of an export.
    pub fn new(ledger: Store, store: Store, settings: ExportSettings) -> Self {
        Self { ledger, store, settings, control: RunControl::default() }
    }

    /// Sets the signal that ends runs early.
    #[must_use]
    pub fn with_stop_signal(mut self, stop: StopSignal) -> Self {
        self.control.stop = stop;
        self
    }

    /// Sets an observer of the progress. It must not block.
    #[must_use]
    pub fn with_progress(mut self, observer: impl Fn(&ExportProgress<'_>) + Send + Sync + 'static) -> Self {
        self.control.observer = Some(Arc::new(observer));
        self
    }

    /// Sets the announcer of commits; see
    /// [`Exporter::with_announcer`](crate::Exporter::with_announcer).
    #[must_use]
    pub fn with_announcer(mut self, announcer: Arc<dyn Announcer>) -> Self {
        self.control.announcer = Some(announcer);
        self
    }

    /// Exports new transitions. Stops reading when `now` reaches `stop_at`, both in time
    /// since the Unix epoch. Then it commits, and leaves the rest to the next run.
    pub async fn run(
        &self,
        now: impl Fn() -> Duration + Send + Sync,
        stop_at: Option<Duration>,
    ) -> StreamReport {
        let run = StreamRun {
            client: LocalClock(now),
            store: &self.store,
            settings: &self.settings,
            control: &self.control,
            stream: StreamId::of_ledger(),
            stop_at,
        };
        let report = LedgerRun { run, ledger: &self.ledger }.run().await;
        self.control.report(&ExportProgress::Ended(&report));
        report
    }
}
