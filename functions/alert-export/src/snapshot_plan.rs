//! The part of a plan for snapshots, which are due less often than plans.
//!
//! The log of a stream shows whether its snapshot is due, at three requests to the store
//! for each stream. So the plan does not read it. It sends messages for snapshots in a
//! part of the interval only, and the worker reads the log. A snapshot that failed, or of
//! a new tenant, is taken within that part.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use sophos_export::{Dataset, DatasetKind, Store};

use crate::config::Config;

/// The number of times in an interval that messages for snapshots are sent.
const SENDINGS_PER_INTERVAL: u32 = 12;

/// The object with the time of the last messages for snapshots.
const PATH: &str = "_plan/snapshots/sent.json";

/// The datasets of a plan.
pub(crate) struct SnapshotPlan<'a> {
    datasets: &'a [Dataset],
    now: Duration,
    /// The minimum interval of messages; `None` to send them at once.
    min_interval: Option<Duration>,
}

/// The last messages for snapshots.
#[derive(Debug, Serialize, Deserialize)]
struct SentSnapshots {
    sent_at_ms: u64,
    datasets: Vec<Dataset>,
}

impl<'a> SnapshotPlan<'a> {
    /// A plan for these datasets. If an event names others than the configuration, all
    /// are due.
    pub(crate) fn new(config: &Config, datasets: &'a [Dataset], now: Duration) -> Self {
        let is_scheduled = datasets.len() == config.datasets.len()
            && datasets.iter().all(|dataset| config.datasets.contains(dataset));
        let interval = config.settings.snapshot_interval / SENDINGS_PER_INTERVAL;
        Self { datasets, now, min_interval: is_scheduled.then_some(interval) }
    }

    /// The datasets to send messages for.
    pub(crate) async fn due_datasets(&self, store: &Store) -> Vec<Dataset> {
        let has_snapshots = self.datasets.iter().copied().any(is_periodic);
        let Some(min_interval) = self.min_interval.filter(|_| has_snapshots) else {
            return self.datasets.to_vec();
        };
        let sent = match store.read(PATH).await {
            Ok(body) => body.and_then(|body| serde_json::from_slice::<SentSnapshots>(&body).ok()),
            Err(error) => {
                tracing::warn!(event = "plan_state_failed", %error, "reading {PATH} failed; the plan includes all snapshots");
                None
            }
        };
        let is_recent = |dataset: &Dataset| {
            sent.as_ref().is_some_and(|sent| {
                let age = self.now.saturating_sub(Duration::from_millis(sent.sent_at_ms));
                age < min_interval && sent.datasets.contains(dataset)
            })
        };
        let is_due = |dataset: &Dataset| !is_periodic(*dataset) || !is_recent(dataset);
        self.datasets.iter().copied().filter(is_due).collect()
    }

    /// Stores the time of the messages. If that fails, the next plan repeats them.
    pub(crate) async fn mark_sent(&self, store: &Store, sent: &[Dataset]) {
        if self.min_interval.is_none() || !sent.iter().copied().any(is_periodic) {
            return;
        }
        let datasets = self.datasets.iter().copied().filter(|dataset| is_periodic(*dataset)).collect();
        let sent = SentSnapshots { sent_at_ms: self.now.as_millis() as u64, datasets };
        let written = match serde_json::to_vec(&sent) {
            Ok(body) => store.write(PATH, body).await.map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        if let Err(error) = written {
            tracing::warn!(
                event = "plan_state_failed",
                error,
                "writing {PATH} failed; the next plan includes all snapshots"
            );
        }
    }
}

/// Whether a dataset is exported once in the interval of snapshots.
fn is_periodic(dataset: Dataset) -> bool {
    matches!(dataset.kind(), DatasetKind::Snapshot | DatasetKind::Changes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3_600);
    const CONFIGURED: [Dataset; 3] = [Dataset::Events, Dataset::Endpoints, Dataset::EndpointChanges];

    fn plan(datasets: &[Dataset], now: Duration) -> SnapshotPlan<'_> {
        SnapshotPlan { datasets, now, min_interval: Some(2 * HOUR) }
    }

    #[tokio::test]
    async fn snapshots_are_planned_in_a_part_of_the_interval() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(&folder.path().to_string_lossy()).expect("a store");
        for (hours, expected) in [
            (100, &CONFIGURED[..]),
            (101, &CONFIGURED[..1]),
            (102, &CONFIGURED[..]),
            (103, &CONFIGURED[..1]),
            (105, &CONFIGURED[..]),
        ] {
            let plan = plan(&CONFIGURED, HOUR * hours);
            let due = plan.due_datasets(&store).await;
            assert_eq!(due, expected, "{hours}");
            plan.mark_sent(&store, &due).await;
        }
        let more = [CONFIGURED.as_slice(), &[Dataset::Health]].concat();
        let due = plan(&more, HOUR * 105).due_datasets(&store).await;
        assert_eq!(due, [Dataset::Events, Dataset::Health], "a dataset that was added");
        store.write(PATH, b"{}".to_vec()).await.expect("a write");
        assert_eq!(plan(&more, HOUR * 105).due_datasets(&store).await, more, "an invalid state");
    }

    #[tokio::test]
    async fn datasets_of_an_event_are_planned_at_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(&folder.path().to_string_lossy()).expect("a store");
        let scheduled = plan(&CONFIGURED, HOUR * 100);
        scheduled.mark_sent(&store, &CONFIGURED).await;
        let named = SnapshotPlan { min_interval: None, ..plan(&CONFIGURED[1..2], HOUR * 101) };
        assert_eq!(named.due_datasets(&store).await, [Dataset::Endpoints]);
        named.mark_sent(&store, &CONFIGURED[1..2]).await;
        assert_eq!(scheduled.due_datasets(&store).await, [Dataset::Events], "its state stays");
    }
}
