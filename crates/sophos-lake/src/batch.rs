//! The batches of a lake: records in the export's store that are created only if absent.
//!
//! | object | content |
//! |---|---|
//! | `_lake/<prefix>/000000000007.json` | a [`BatchPlan`]: the commits of one batch; never changed |
//! | `_lake/<prefix>/000000000007.done` | a [`BatchReport`]: all objects of the batch exist |
//! | `_lake/<prefix>/_positions` | the [`Positions`] after a batch: a hint, which can be derived |

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use sophos_export::{Dataset, StreamId};
use sophos_store::Store;

use crate::error::Error;

/// Commits of one stream, without gaps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommitRange {
    /// The dataset.
    pub dataset: Dataset,
    /// The tenant's id.
    pub tenant: String,
    /// The sequence number of the first commit.
    pub first: u64,
    /// The sequence number of the last commit.
    pub last: u64,
}

/// The plan of a batch. It decides everything that names objects, so that a run that
/// resumes the batch writes the same objects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct BatchPlan {
    /// The format version: 1.
    pub version: u32,
    /// The number of the batch, from 1, without gaps.
    pub batch: u64,
    /// The version of the mapping that planned it.
    pub mapping_version: u32,
    /// The time of the plan in milliseconds since the Unix epoch.
    pub planned_at_ms: i64,
    /// The Region in paths.
    pub region: String,
    /// The account in paths.
    pub account: String,
    /// The `class_uid`s to write.
    pub classes: Vec<u32>,
    /// The bytes of rows, as JSON, after which new objects begin.
    pub max_part_bytes: u64,
    /// The commits, each in one batch.
    pub commits: Vec<CommitRange>,
}

/// The result of a batch.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct BatchReport {
    /// The number of stored rows that were read.
    pub stored_rows: u64,
    /// The rows of the lake by `class_uid`.
    pub rows: BTreeMap<String, u64>,
    /// The number of objects in the lake.
    pub objects: u64,
    /// The bytes of these objects.
    pub bytes: u64,
    /// The stored rows that stay in the export alone: telemetry, and classes that are not
    /// written.
    pub telemetry: u64,
    /// The events of types that the mapping does not know.
    pub unknown_types: BTreeMap<String, u64>,
    /// The number of stored rows that could not be mapped.
    pub invalid: u64,
    /// The objects of the export that do not exist any more, or cannot be read.
    pub unreadable_objects: Vec<String>,
}

impl BatchReport {
    pub(crate) fn add(&mut self, other: Self) {
        self.stored_rows += other.stored_rows;
        self.objects += other.objects;
        self.bytes += other.bytes;
        self.telemetry += other.telemetry;
        self.invalid += other.invalid;
        self.unreadable_objects.extend(other.unreadable_objects);
        for (counts, more) in [(&mut self.rows, other.rows), (&mut self.unknown_types, other.unknown_types)] {
            for (name, count) in more {
                *counts.entry(name).or_default() += count;
            }
        }
    }
}

/// The last commit of each stream in a batch.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Positions {
    /// The last batch that they include, which is complete, as are all before it.
    pub(crate) batch: u64,
    /// By `dataset/tenant`.
    pub(crate) last: BTreeMap<String, u64>,
}

impl Positions {
    pub(crate) fn of(&self, stream: &StreamId) -> u64 {
        self.last.get(&format!("{}/{}", stream.dataset, stream.tenant)).copied().unwrap_or(0)
    }

    pub(crate) fn apply(&mut self, plan: &BatchPlan) {
        self.batch = plan.batch;
        for range in &plan.commits {
            self.last.insert(format!("{}/{}", range.dataset, range.tenant), range.last);
        }
    }
}

/// The records of one lake.
#[derive(Debug)]
pub(crate) struct BatchLog {
    store: Store,
    folder: String,
}

impl BatchLog {
    pub(crate) fn new(store: Store, source_prefix: &str) -> Self {
        Self { store, folder: format!("_lake/{source_prefix}") }
    }

    fn path(&self, batch: u64, extension: &str) -> String {
        format!("{}/{batch:012}.{extension}", self.folder)
    }

    /// Loads the positions after the last complete batch, and the plan of the one that is
    /// not complete, if there is one.
    pub(crate) async fn load(&self) -> Result<(Positions, Option<BatchPlan>), Error> {
        let hint = self.store.read(&format!("{}/_positions", self.folder)).await?;
        // An invalid hint only costs the reading of all plans.
        let mut positions: Positions =
            hint.and_then(|hint| serde_json::from_slice(&hint).ok()).unwrap_or_default();
        if positions.batch > 0 && self.store.read(&self.path(positions.batch, "done")).await?.is_none() {
            // The hint is ahead: older records were restored.
            positions = Positions::default();
        }
        let mut next = self.load_plan(positions.batch + 1).await?;
        while let Some(plan) = next {
            // A batch is planned only after the one before it is complete.
            next = self.load_plan(plan.batch + 1).await?;
            if next.is_none() && self.store.read(&self.path(plan.batch, "done")).await?.is_none() {
                return Ok((positions, Some(plan)));
            }
            positions.apply(&plan);
        }
        Ok((positions, None))
    }

    pub(crate) async fn load_plan(&self, batch: u64) -> Result<Option<BatchPlan>, Error> {
        let path = self.path(batch, "json");
        let Some(bytes) = self.store.read(&path).await? else { return Ok(None) };
        let plan: BatchPlan = parse(&path, &bytes)?;
        let reason = match () {
            () if plan.version != 1 => format!("its version is {}, written by a newer release", plan.version),
            () if plan.batch != batch => "it belongs to another batch".to_owned(),
            () => return Ok(Some(plan)),
        };
        Err(Error::InvalidRecord { path, reason })
    }

    /// Creates a plan. Returns the plan of this number: another run may have been first.
    pub(crate) async fn create_plan(&self, plan: BatchPlan) -> Result<BatchPlan, Error> {
        let path = self.path(plan.batch, "json");
        if self.store.create(&path, to_json(&plan)).await? {
            return Ok(plan);
        }
        let reason = || "it exists, but cannot be read".to_owned();
        self.load_plan(plan.batch).await?.ok_or_else(|| Error::InvalidRecord { path, reason: reason() })
    }

    /// Records that all objects of a batch exist. Returns `false` if another run has.
    pub(crate) async fn complete(&self, plan: &BatchPlan, report: &BatchReport) -> Result<bool, Error> {
        Ok(self.store.create(&self.path(plan.batch, "done"), to_json(report)).await?)
    }

    /// Writes the hint.
    pub(crate) async fn write_positions(&self, positions: &Positions) {
        let path = format!("{}/_positions", self.folder);
        if let Err(error) = self.store.write(&path, to_json(positions)).await {
            tracing::warn!(event = "lake_hint_failed", %error, "failed to write the positions of the lake");
        }
    }
}

fn parse<V: DeserializeOwned>(path: &str, bytes: &[u8]) -> Result<V, Error> {
    serde_json::from_slice(bytes)
        .map_err(|error| Error::InvalidRecord { path: path.into(), reason: error.to_string() })
}

fn to_json(value: &impl Serialize) -> Vec<u8> {
    // The records have texts and numbers alone, which are always JSON.
    serde_json::to_vec(value).unwrap_or_default()
}
