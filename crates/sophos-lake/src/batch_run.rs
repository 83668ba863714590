//! The run of one batch: reads the commits in order, and writes the objects.

use std::collections::BTreeMap;

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use sophos_export::{DataObject, StoredRow, StreamId, read_rows};
use sophos_store::Store;

use crate::{
    batch::{BatchPlan, BatchReport},
    class::Class,
    commits::load_commit,
    error::Error,
    layout::event_day,
    mapping::{Mapped, MappingSettings, OcsfRow, map_row},
    parquet_rows,
    writer::LakeSettings,
};

/// The number of log records or objects that are read ahead.
const MAX_CONCURRENT_READS: usize = 4;

/// The maximum number of event types that a report counts by name.
const MAX_UNKNOWN_TYPES: usize = 100;

/// The name under which a report counts further event types.
const OTHER_TYPES: &str = "(other types)";

/// The result of a batch that is complete.
#[derive(Debug)]
pub(crate) struct BatchOutcome {
    pub(crate) report: BatchReport,
    /// The time of the oldest commit in milliseconds since the Unix epoch.
    pub(crate) oldest_commit_ms: Option<i64>,
}

/// A row of the lake that waits for its object.
#[derive(Debug)]
struct PendingRow {
    time_ms: i64,
    json: Vec<u8>,
}

/// The run of one batch.
#[derive(Debug)]
pub(crate) struct BatchRun<'b> {
    export: &'b Store,
    lake: &'b BTreeMap<Class, Store>,
    source_prefix: &'b str,
    mapping: MappingSettings,
    plan: &'b BatchPlan,
    /// The rows of the current part by class and day.
    pending: BTreeMap<(Class, u32), Vec<PendingRow>>,
    pending_bytes: u64,
    /// The number of the current part, from 0.
    part: u32,
    report: BatchReport,
}

impl<'b> BatchRun<'b> {
    /// # Errors
    /// [`Error::InvalidSetting`] when a class of the plan has no store.
    pub(crate) fn new(
        export: &'b Store,
        lake: &'b BTreeMap<Class, Store>,
        settings: &'b LakeSettings,
        plan: &'b BatchPlan,
    ) -> Result<Self, Error> {
        // The classes of the plan, not those of the settings: the plan names the objects.
        let class = |uid: &u32| {
            let class = Class::from_uid(*uid).filter(|class| lake.contains_key(class));
            let expected = "a class with a store, since a batch that was begun has it";
            class.ok_or_else(|| Error::InvalidSetting { name: "class", value: uid.to_string(), expected })
        };
        let classes = plan.classes.iter().map(class).collect::<Result<_, _>>()?;
        let mapping = MappingSettings { classes, ..settings.mapping.clone() };
        let source_prefix = settings.layout.source_prefix();
        let (pending, report) = (BTreeMap::new(), BatchReport::default());
        Ok(Self { export, lake, source_prefix, mapping, plan, pending, pending_bytes: 0, part: 0, report })
    }

    /// Writes the batch; `None` if the time is over before its end.
    pub(crate) async fn write(mut self, is_over: &impl Fn() -> bool) -> Result<Option<BatchOutcome>, Error> {
        let export = self.export;
        let mut oldest_commit_ms: Option<i64> = None;
        let sequences = self
            .plan
            .commits
            .iter()
            .flat_map(|range| (range.first..=range.last).map(move |sequence| (range, sequence)));
        let mut commits = stream::iter(sequences)
            .map(|(range, sequence)| async move {
                let stream = StreamId { dataset: range.dataset, tenant: range.tenant.clone() };
                load_commit(export, &stream, sequence).await?.ok_or_else(|| Error::InvalidRecord {
                    path: format!("{}/{sequence:012}.json", stream.log_folder()),
                    reason: "a batch has it, but it does not exist".into(),
                })
            })
            .buffered(MAX_CONCURRENT_READS);
        while let Some(commit) = commits.try_next().await? {
            let committed_at = commit.committed_at;
            let committed_ms = committed_at.as_millisecond();
            oldest_commit_ms = Some(oldest_commit_ms.map_or(committed_ms, |oldest| oldest.min(committed_ms)));
            let mut objects = stream::iter(&commit.objects)
                .map(|object| async move { Ok::<_, Error>((object, export.read(&object.path).await?)) })
                .buffered(MAX_CONCURRENT_READS);
            while let Some((object, body)) = objects.try_next().await? {
                if is_over() {
                    return Ok(None);
                }
                self.add_object(object, body, committed_at).await?;
            }
        }
        self.flush().await?;
        Ok(Some(BatchOutcome { report: self.report, oldest_commit_ms }))
    }

    /// Adds the rows of an object of the export.
    async fn add_object(
        &mut self,
        object: &DataObject,
        body: Option<Bytes>,
        committed_at: Timestamp,
    ) -> Result<(), Error> {
        let Some(body) = body.filter(|body| body.len() as u64 == object.bytes) else {
            self.note_unreadable(object, "it does not exist, or has another size");
            return Ok(());
        };
        let rows = match read_rows(&object.path, body) {
            Ok(rows) => rows,
            Err(error) => {
                self.note_unreadable(object, &error.to_string());
                return Ok(());
            }
        };
        for row in rows {
            match row {
                Ok(row) => self.add_stored(&row, committed_at),
                Err(error) => {
                    self.note_unreadable(object, &error.to_string());
                    return Ok(());
                }
            }
            if self.pending_bytes >= self.plan.max_part_bytes {
                self.flush().await?;
            }
        }
        Ok(())
    }

    fn note_unreadable(&mut self, object: &DataObject, reason: &str) {
        let path = &object.path;
        tracing::error!(
            event = "lake_object_unreadable",
            path,
            reason,
            "an object of the export cannot be read"
        );
        self.report.unreadable_objects.push(path.clone());
    }

    fn add_stored(&mut self, row: &StoredRow, committed_at: Timestamp) {
        self.report.stored_rows += 1;
        match map_row(&row.into(), committed_at, &self.mapping) {
            Mapped::Rows(rows) => rows.into_iter().for_each(|row| self.add_row(row)),
            Mapped::Telemetry => self.report.telemetry += 1,
            Mapped::Invalid => self.report.invalid += 1,
            Mapped::UnknownType(name) => {
                let types = &mut self.report.unknown_types;
                let is_full = types.len() >= MAX_UNKNOWN_TYPES && !types.contains_key(&name);
                *types.entry(if is_full { OTHER_TYPES.into() } else { name }).or_default() += 1;
            }
        }
    }

    fn add_row(&mut self, row: OcsfRow) {
        let OcsfRow { class, time_ms, value } = row;
        let json = match parquet_rows::check(class, &value).map(|()| serde_json::to_vec(&value)) {
            Ok(Ok(json)) => json,
            Ok(Err(_)) | Err(_) => {
                self.report.invalid += 1;
                return;
            }
        };
        self.pending_bytes += json.len() as u64;
        self.pending.entry((class, event_day(time_ms))).or_default().push(PendingRow { time_ms, json });
    }

    /// Writes the objects of the current part, one after the other.
    async fn flush(&mut self) -> Result<(), Error> {
        for ((class, day), mut rows) in std::mem::take(&mut self.pending) {
            let count = rows.len() as u64;
            // Stable, so that rows of the same time stay in the order of the log.
            rows.sort_by_key(|row| row.time_ms);
            let values = rows.into_iter().map(|row| serde_json::from_slice(&row.json));
            let object = parquet_rows::encode(class, values)
                .map_err(|source| Error::Encode { class: class.uid(), source })?;
            self.report.objects += 1;
            self.report.bytes += object.len() as u64;
            *self.report.rows.entry(class.uid().to_string()).or_default() += count;
            let path = self.path(class, day);
            let store = self.lake.get(&class).ok_or_else(|| Error::InvalidSetting {
                name: "class",
                value: class.to_string(),
                expected: "a class with a store",
            })?;
            // An earlier run of this batch, or a concurrent one, may have written the same.
            store.create(&path, object).await?;
        }
        self.pending_bytes = 0;
        self.part += 1;
        Ok(())
    }

    fn path(&self, class: Class, day: u32) -> String {
        let BatchPlan { batch, region, account, .. } = self.plan;
        let (source, part) = (format!("{}-{class}", self.source_prefix), self.part);
        format!(
            "ext/{source}/region={region}/accountId={account}/eventDay={day:08}/{source}-{batch:012}-{part:04}.parquet"
        )
    }
}
