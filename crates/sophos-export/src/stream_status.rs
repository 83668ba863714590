//! The state of each stream of an export, from its commit log.

use std::collections::BTreeSet;

use serde::Serialize;
use sophos_store::Store;

use crate::{
    checkpoint::{Checkpoint, Gap},
    commit_log::{SnapshotSummary, StreamId, load_head, load_record},
    dataset::Dataset,
    error::Error,
};

/// The prefix of a tenant's folder of rows.
const TENANT_FOLDER: &str = "tenant_id=";

/// Lists the streams of an export: those with a commit log, and those with objects only.
///
/// # Errors
/// When the store fails.
pub async fn list_streams(store: &Store) -> Result<Vec<StreamId>, Error> {
    let mut streams = BTreeSet::new();
    for dataset in Dataset::ALL {
        let logs = store.list_folders(&format!("_log/{dataset}")).await?;
        let mut tenants: BTreeSet<_> = logs.into_iter().collect();
        for folder in [dataset.to_string(), format!("_quarantine/{dataset}")] {
            let folders = store.list_folders(&folder).await?;
            tenants.extend(folders.iter().filter_map(|name| Some(name.strip_prefix(TENANT_FOLDER)?.into())));
        }
        // Other folders are not of an export.
        let ids = tenants.into_iter().filter_map(|tenant| StreamId::new(dataset, &tenant).ok());
        streams.extend(ids.map(|stream| (stream.tenant, stream.dataset)));
    }
    Ok(streams.into_iter().map(|(tenant, dataset)| StreamId { dataset, tenant }).collect())
}

/// The state of a stream.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct StreamStatus {
    /// The tenant's id.
    pub tenant: String,
    /// The dataset.
    pub dataset: Dataset,
    /// The number of commits.
    pub commits: u64,
    /// The time of the last commit by the service's clock, in RFC 3339.
    pub last_commit: Option<String>,
    /// The id of the run that made it.
    pub last_run_id: Option<String>,
    /// The start of the next run.
    pub checkpoint: Option<Checkpoint>,
    /// The latest complete snapshot, of a dataset of that kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snapshot: Option<SnapshotSummary>,
    /// The number of backfills of gaps that are not complete.
    pub pending_backfills: u64,
    /// The number of runs that are active, that died before their commit, or whose commit
    /// is not announced yet.
    pub open_runs: u64,
    /// The number of commits, from the last one backwards, that the following counts cover.
    pub inspected_commits: u64,
    /// The number of rows.
    pub rows: u64,
    /// The number of objects with rows.
    pub objects: u64,
    /// The bytes of these objects.
    pub bytes: u64,
    /// The number of quarantined records.
    pub quarantined: u64,
    /// The gaps.
    pub gaps: Vec<Gap>,
}

impl StreamStatus {
    /// Loads the state of a stream. Reads the last `max_commits` records of its log, and
    /// at least the last one.
    ///
    /// # Errors
    /// When the store fails, or a log record is missing or invalid.
    pub async fn load(store: &Store, stream: &StreamId, max_commits: u64) -> Result<Self, Error> {
        let head = load_head(store, stream).await?;
        let mut status = Self {
            tenant: stream.tenant.clone(),
            dataset: stream.dataset,
            commits: head.sequence(),
            last_commit: None,
            last_run_id: None,
            checkpoint: None,
            snapshot: None,
            pending_backfills: 0,
            open_runs: head.write_ahead_files.len() as u64,
            inspected_commits: 0,
            rows: 0,
            objects: 0,
            bytes: 0,
            quarantined: 0,
            gaps: Vec::new(),
        };
        let Some(last) = head.record else { return Ok(status) };
        status.last_commit = Some(last.committed_at.clone());
        status.last_run_id = Some(last.run_id.clone());
        status.checkpoint = Some(last.checkpoint_after.clone());
        status.snapshot.clone_from(&last.snapshot);
        status.pending_backfills = last.pending_backfills.len() as u64;
        let first = status.commits.saturating_sub(max_commits.max(1)) + 1;
        let mut record = last;
        loop {
            status.inspected_commits += 1;
            status.rows += record.rows;
            status.objects += record.objects.len() as u64;
            status.bytes += record.objects.iter().map(|object| object.bytes).sum::<u64>();
            status.quarantined += record.quarantined;
            status.gaps.extend(&record.gaps);
            if record.sequence <= first {
                break;
            }
            record = load_record(store, stream, record.sequence - 1).await?;
        }
        status.gaps.sort_by_key(|gap| gap.from_ms);
        Ok(status)
    }

    /// The length of the gaps in seconds.
    pub fn gap_seconds(&self) -> f64 {
        self.gaps.iter().fold(0.0, |sum, gap| sum + gap.seconds())
    }
}
