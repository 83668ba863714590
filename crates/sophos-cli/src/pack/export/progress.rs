//! The progress of an export on standard error.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use indicatif::ProgressBar;
use sophos_export::ExportProgress;

/// A progress bar over the streams of a run.
pub(super) struct RunProgress {
    bar: ProgressBar,
    records: AtomicU64,
    rows: AtomicU64,
    /// The tenant of the last page.
    current: Mutex<String>,
}

impl RunProgress {
    pub(super) fn new(bar: ProgressBar) -> Self {
        Self { bar, records: AtomicU64::new(0), rows: AtomicU64::new(0), current: Mutex::default() }
    }

    /// Shows an event of the run.
    pub(super) fn observe(&self, progress: &ExportProgress<'_>) {
        match progress {
            ExportProgress::Started { streams, .. } => {
                // A repeated run finished the bar before.
                self.bar.reset();
                self.bar.set_length(*streams);
            }
            ExportProgress::PageRead { tenant, dataset, records } => {
                self.records.fetch_add(*records, Ordering::Relaxed);
                *self.current.lock().unwrap_or_else(PoisonError::into_inner) =
                    format!("{dataset} of {tenant}");
            }
            ExportProgress::Committed { rows, .. } => {
                self.rows.fetch_add(*rows, Ordering::Relaxed);
            }
            ExportProgress::Ended(_) => self.bar.inc(1),
            _ => {}
        }
        self.bar.set_message(self.message());
    }

    fn message(&self) -> String {
        let (records, rows) = (self.records.load(Ordering::Relaxed), self.rows.load(Ordering::Relaxed));
        let current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        match current.as_str() {
            "" => "exporting".to_owned(),
            current => format!("{current}: {records} read, {rows} committed"),
        }
    }

    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use sophos_export::Dataset;

    use super::*;

    #[test]
    fn progress_counts_records_and_commits() {
        let progress = RunProgress::new(ProgressBar::hidden());
        assert_eq!(progress.message(), "exporting");
        let (tenant, dataset) = ("ab", Dataset::Events);
        progress.observe(&ExportProgress::Started { tenants: 1, streams: 2 });
        progress.observe(&ExportProgress::PageRead { tenant, dataset, records: 5 });
        progress.observe(&ExportProgress::PageRead { tenant, dataset, records: 2 });
        progress.observe(&ExportProgress::Committed { tenant, dataset, rows: 6, high_watermark_ms: 0 });
        assert_eq!(progress.message(), "events of ab: 7 read, 6 committed");
    }
}
