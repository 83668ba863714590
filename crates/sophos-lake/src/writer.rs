//! The second stage of the export: batches of commits as objects of the lake.

use std::collections::BTreeMap;

use serde::Serialize;
use sophos_store::Store;

use crate::{
    batch::{BatchLog, BatchPlan, BatchReport, Positions},
    batch_run::{BatchOutcome, BatchRun},
    class::Class,
    commits::find_new,
    error::Error,
    layout::LakeLayout,
    mapping::{MAPPING_VERSION, MappingSettings},
};

/// The settings of a lake.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LakeSettings {
    /// The names in paths.
    pub layout: LakeLayout,
    /// The mapping, with the classes of new batches.
    pub mapping: MappingSettings,
    /// The number of stored rows after which a batch ends: 100,000 by default. A batch has
    /// at least one commit of each of its streams.
    pub max_batch_rows: u64,
    /// The bytes of rows, as JSON, after which new objects begin: 8 MiB by default. A run
    /// takes about four times as much memory.
    pub max_part_bytes: u64,
}

impl LakeSettings {
    /// The defaults.
    pub fn new(layout: LakeLayout) -> Self {
        let mapping = MappingSettings::default();
        Self { layout, mapping, max_batch_rows: 100_000, max_part_bytes: 8 << 20 }
    }
}

/// The report of a run.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct LakeReport {
    /// The number of batches that are complete now.
    pub batches: u64,
    /// The sum of their results.
    #[serde(flatten)]
    pub total: BatchReport,
    /// The age of the oldest commit among them in seconds: the time from a commit of the
    /// export to the end of its batch.
    pub lag_seconds: f64,
    /// Whether the time was over before all commits were in the lake.
    pub unfinished: bool,
}

/// Writes the rows of an export into a lake.
#[derive(Debug)]
pub struct LakeWriter {
    export: Store,
    lake: BTreeMap<Class, Store>,
    settings: LakeSettings,
    log: BatchLog,
}

impl LakeWriter {
    /// Creates a writer from the store of an export to a lake. In Security Lake each
    /// source has its own role, so each class has its own store, with the bucket as its
    /// root.
    ///
    /// # Errors
    /// [`Error::InvalidSetting`] when no class is to be written, or one has no store.
    pub fn new(export: Store, lake: BTreeMap<Class, Store>, settings: LakeSettings) -> Result<Self, Error> {
        let classes = &settings.mapping.classes;
        let without_store = classes.iter().find(|class| !lake.contains_key(class));
        if classes.is_empty() || without_store.is_some() {
            let value = without_store.map(ToString::to_string).unwrap_or_default();
            return Err(Error::InvalidSetting { name: "class", value, expected: "a class with a store" });
        }
        let log = BatchLog::new(export.clone(), settings.layout.source_prefix());
        Ok(Self { export, lake, settings, log })
    }

    /// Creates a writer to one store for all classes: a folder, or a bucket.
    ///
    /// # Errors
    /// As for [`new`](Self::new).
    pub fn to_store(export: Store, lake: &Store, settings: LakeSettings) -> Result<Self, Error> {
        let stores = settings.mapping.classes.iter().map(|class| (*class, lake.clone())).collect();
        Self::new(export, stores, settings)
    }

    /// Completes a batch that an earlier run began, and writes batches until all commits
    /// are in the lake, or `now_ms` is past `stop_at_ms`. Both are in milliseconds since
    /// the Unix epoch.
    ///
    /// Concurrent runs are safe: they write the same objects.
    ///
    /// # Errors
    /// When a store fails, or a record of it is invalid.
    pub async fn run(
        &self,
        now_ms: impl Fn() -> i64 + Send + Sync,
        stop_at_ms: Option<i64>,
    ) -> Result<LakeReport, Error> {
        let is_over = || stop_at_ms.is_some_and(|stop_at| now_ms() >= stop_at);
        let mut report = LakeReport::default();
        let (mut positions, mut open) = self.log.load().await?;
        loop {
            if is_over() {
                report.unfinished = true;
                return Ok(report);
            }
            let (plan, has_more) = match open.take() {
                Some(plan) => (plan, true),
                None => match self.plan(&positions, now_ms()).await? {
                    Some(planned) => planned,
                    None => return Ok(report),
                },
            };
            if !self.write_batch(&plan, &mut positions, &mut report, &now_ms, &is_over).await? {
                report.unfinished = true;
                return Ok(report);
            }
            if !has_more {
                return Ok(report);
            }
        }
    }

    /// Plans the next batch; `None` if no commit is new. Returns it, and whether there may
    /// be more commits.
    async fn plan(&self, positions: &Positions, now_ms: i64) -> Result<Option<(BatchPlan, bool)>, Error> {
        let (commits, has_more) = find_new(&self.export, positions, self.settings.max_batch_rows).await?;
        if commits.is_empty() {
            return Ok(None);
        }
        let planned = BatchPlan {
            version: 1,
            batch: positions.batch + 1,
            mapping_version: MAPPING_VERSION,
            planned_at_ms: now_ms,
            region: self.settings.layout.region().to_owned(),
            account: self.settings.layout.account().to_owned(),
            classes: self.settings.mapping.classes.iter().map(|class| class.uid()).collect(),
            max_part_bytes: self.settings.max_part_bytes,
            commits,
        };
        let plan = self.log.create_plan(planned.clone()).await?;
        let is_own = plan == planned;
        Ok(Some((plan, has_more || !is_own)))
    }

    /// Writes a batch. Returns `false` if the time was over before its end.
    async fn write_batch(
        &self,
        plan: &BatchPlan,
        positions: &mut Positions,
        report: &mut LakeReport,
        now_ms: &(impl Fn() -> i64 + Send + Sync),
        is_over: &(impl Fn() -> bool + Send + Sync),
    ) -> Result<bool, Error> {
        if plan.mapping_version != MAPPING_VERSION {
            tracing::warn!(
                event = "lake_mapping_changed",
                batch = plan.batch,
                planned = plan.mapping_version,
                current = MAPPING_VERSION,
                "a batch that another release began is completed by this one"
            );
        }
        let run = BatchRun::new(&self.export, &self.lake, &self.settings, plan)?;
        let Some(BatchOutcome { report: of_batch, oldest_commit_ms }) = run.write(is_over).await? else {
            return Ok(false);
        };
        self.log.complete(plan, &of_batch).await?;
        positions.apply(plan);
        self.log.write_positions(positions).await;
        report.batches += 1;
        report.total.add(of_batch);
        let lag_ms = oldest_commit_ms.map_or(0, |oldest| now_ms().saturating_sub(oldest).max(0));
        report.lag_seconds = report.lag_seconds.max(lag_ms as f64 / 1_000.0);
        Ok(true)
    }
}
