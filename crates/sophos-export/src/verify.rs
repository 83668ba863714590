//! The verification of a stream: its log, and each object that the log names.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    io,
};

use futures_util::StreamExt;
use serde::Serialize;
use sophos_store::{Store, StoredObject};

use crate::{
    checkpoint::Gap,
    commit_log::{DataObject, LogRecord, StreamId, load_record},
    dataset::Dataset,
    digest::sha256_hex,
    error::Error,
    finding::Finding,
    format::{Format, ScannedRows},
    write_ahead::load_write_ahead_records,
};

/// The number of log records or objects that are read at once.
const MAX_CONCURRENT_READS: usize = 4;

/// The verification of a stream.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct StreamVerification {
    /// The tenant's id.
    pub tenant: String,
    /// The dataset.
    pub dataset: Dataset,
    /// The number of commits.
    pub commits: u64,
    /// The number of committed rows, according to the log.
    pub rows: u64,
    /// The number of committed objects, with those of quarantined records.
    pub objects: u64,
    /// The number of objects whose size, hash and rows are those of the log.
    pub verified_objects: u64,
    /// The bytes of the verified objects.
    pub verified_bytes: u64,
    /// The number of quarantined records.
    pub quarantined: u64,
    /// The gaps: intervals that the feed dropped before a run read them.
    pub gaps: Vec<Gap>,
    /// The objects of runs that are active, or that died before their commit. The next
    /// run deletes those that cannot be committed any more.
    pub pending_objects: Vec<String>,
    /// The defects.
    pub findings: Vec<Finding>,
}

/// An object to verify.
#[derive(Debug)]
struct NamedObject {
    object: DataObject,
    is_quarantine: bool,
}

/// The content of a verified object.
struct ObjectCheck {
    object: DataObject,
    /// The ids and revisions of its rows, if they are compared.
    rows: Vec<(String, u32)>,
    finding: Option<Finding>,
}

impl StreamVerification {
    /// Verifies a stream: the log has no hole, and each record continues the one before
    /// it. Each object that it names has the size, the hash and the rows of the log. No
    /// other object is in the stream's folders.
    ///
    /// `compare_rows` also verifies that no row is there twice, which takes about 100
    /// bytes of memory for each row of the stream. Formats without ids are not compared. `on_object` is called with the number
    /// of bytes of each object that was read.
    ///
    /// # Errors
    /// When the store fails. A defect of the stream is a finding instead.
    pub async fn run(
        store: &Store,
        stream: &StreamId,
        compare_rows: bool,
        mut on_object: impl FnMut(u64),
    ) -> Result<Self, Error> {
        // In this order a run that commits meanwhile shows no uncommitted object.
        let mut stored = store.list_objects(&stream.data_folder()).await?;
        stored.extend(store.list_objects(&stream.quarantine_folder()).await?);
        let pending: HashSet<String> =
            load_write_ahead_records(store, stream).await?.into_iter().flatten().collect();
        let mut verification = Self {
            tenant: stream.tenant.clone(),
            dataset: stream.dataset,
            commits: 0,
            rows: 0,
            objects: 0,
            verified_objects: 0,
            verified_bytes: 0,
            quarantined: 0,
            gaps: Vec::new(),
            pending_objects: Vec::new(),
            findings: Vec::new(),
        };
        let named = verification.read_log(store, stream).await?;
        let paths: BTreeSet<_> = named.iter().map(|named| named.object.path.clone()).collect();
        verification.check_objects(store, named, compare_rows, &mut on_object).await?;
        verification.check_uncommitted(store, stored, &paths, &pending).await?;
        Ok(verification)
    }

    /// Reads all log records. Returns the objects that they name.
    async fn read_log(&mut self, store: &Store, stream: &StreamId) -> Result<Vec<NamedObject>, Error> {
        let names = store.list_names(&stream.log_folder(), "").await?;
        let listed: BTreeSet<u64> =
            names.iter().filter_map(|name| name.strip_suffix(".json")?.parse().ok()).collect();
        self.commits = listed.last().copied().unwrap_or(0);
        let mut objects = BTreeMap::<String, NamedObject>::new();
        let mut previous: Option<LogRecord> = None;
        let mut records = futures_util::stream::iter(1..=self.commits)
            .map(|sequence| {
                let is_listed = listed.contains(&sequence);
                async move {
                    (
                        sequence,
                        if is_listed { Some(load_record(store, stream, sequence).await) } else { None },
                    )
                }
            })
            .buffered(MAX_CONCURRENT_READS);
        while let Some((sequence, record)) = records.next().await {
            let record = match record {
                Some(Ok(record)) => record,
                None => {
                    self.findings.push(Finding::LogRecordMissing { path: stream.record_path(sequence) });
                    previous = None;
                    continue;
                }
                Some(Err(Error::InvalidLogRecord { path, reason })) => {
                    self.findings.push(Finding::LogRecordInvalid { path, reason });
                    previous = None;
                    continue;
                }
                Some(Err(error)) => return Err(error),
            };
            // After a missing record nothing can be compared.
            let continues = match &previous {
                Some(previous) => record.checkpoint_before.as_ref() == Some(&previous.checkpoint_after),
                None => sequence > 1 || record.checkpoint_before.is_none(),
            };
            if !continues {
                self.findings.push(Finding::CheckpointMismatch { path: stream.record_path(sequence) });
            }
            self.rows += record.rows;
            self.quarantined += record.quarantined;
            self.gaps.extend(&record.gaps);
            let data = record.objects.iter().map(|object| (object, false));
            let quarantine = record.quarantine_objects.iter().map(|object| (object, true));
            for (object, is_quarantine) in data.chain(quarantine) {
                let named = NamedObject { object: object.clone(), is_quarantine };
                if objects.insert(object.path.clone(), named).is_some() {
                    self.findings.push(Finding::ObjectNamedTwice { path: object.path.clone() });
                }
            }
            previous = Some(record);
        }
        self.objects = objects.len() as u64;
        Ok(objects.into_values().collect())
    }

    async fn check_objects(
        &mut self,
        store: &Store,
        named: Vec<NamedObject>,
        compare_rows: bool,
        on_object: &mut impl FnMut(u64),
    ) -> Result<(), Error> {
        let mut seen = HashMap::<String, BTreeSet<u32>>::new();
        // In order, so that two verifications report the same row as repeated.
        let mut checks = futures_util::stream::iter(named)
            .map(|named| check_object(store, named, compare_rows))
            .buffered(MAX_CONCURRENT_READS);
        while let Some(check) = checks.next().await {
            let ObjectCheck { object, rows, finding } = check?;
            on_object(object.bytes);
            match finding {
                Some(finding) => self.findings.push(finding),
                None => {
                    self.verified_objects += 1;
                    self.verified_bytes += object.bytes;
                }
            }
            for (id, revision) in rows {
                let revisions = seen.entry(id.clone()).or_default();
                if !revisions.insert(revision) {
                    let path = object.path.clone();
                    self.findings.push(Finding::RowRepeated { path, id, revision });
                }
            }
        }
        Ok(())
    }

    async fn check_uncommitted(
        &mut self,
        store: &Store,
        stored: Vec<StoredObject>,
        named: &BTreeSet<String>,
        pending: &HashSet<String>,
    ) -> Result<(), Error> {
        for StoredObject { path, bytes } in stored.into_iter().filter(|object| !named.contains(&object.path))
        {
            if pending.contains(&path) {
                self.pending_objects.push(path);
            // A run may have been rolled back since the listing.
            } else if store.read(&path).await?.is_some() {
                self.findings.push(Finding::ObjectUncommitted { path, bytes });
            }
        }
        Ok(())
    }

    /// Whether the verification found no defect.
    pub fn is_sound(&self) -> bool {
        self.findings.is_empty()
    }

    /// The length of the gaps in seconds.
    pub fn gap_seconds(&self) -> f64 {
        self.gaps.iter().fold(0.0, |sum, gap| sum + gap.seconds())
    }
}

async fn check_object(
    store: &Store,
    NamedObject { object, is_quarantine }: NamedObject,
    compare_rows: bool,
) -> Result<ObjectCheck, Error> {
    let Some(body) = store.read(&object.path).await? else {
        let finding = Some(Finding::ObjectMissing { path: object.path.clone() });
        return Ok(ObjectCheck { object, rows: Vec::new(), finding });
    };
    // Decompression takes a processor for long.
    let check = move || {
        let (mut rows, path) = (Vec::new(), object.path.clone());
        let (expected, found) = (object.bytes, body.len() as u64);
        let sha256 = sha256_hex(&body);
        let finding = if expected != found {
            Some(Finding::SizeDiffers { path, expected, found })
        } else if object.sha256 != sha256 {
            Some(Finding::HashDiffers { path, expected: object.sha256.clone(), found: sha256 })
        } else {
            match scan_rows(&path, &body, compare_rows && !is_quarantine) {
                Ok(scanned) => {
                    rows = scanned.keys;
                    let differing = scanned.rows.filter(|found| *found != object.rows);
                    differing.map(|found| Finding::RowsDiffer { path, expected: object.rows, found })
                }
                Err(error) => Some(Finding::Unreadable { path, reason: error.to_string() }),
            }
        };
        ObjectCheck { object, rows, finding }
    };
    Ok(tokio::task::spawn_blocking(check).await?)
}

/// Counts the rows of an object in the format of its extension. With `with_keys` it reads
/// their ids and revisions.
fn scan_rows(path: &str, body: &[u8], with_keys: bool) -> io::Result<ScannedRows> {
    let format = Format::from_path(path).ok_or_else(|| io::Error::other("the extension is of no format"))?;
    format.scan(body, with_keys)
}
