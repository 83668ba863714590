//! The progress of a snapshot, which a later run may continue.

use std::collections::HashMap;

use base64::{Engine, prelude::BASE64_STANDARD};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use sophos_store::Store;

use crate::{
    commit_log::{DataObject, SnapshotSource, StreamId},
    dedup_window::RecordId,
    error::Error,
};

/// The maximum age of a snapshot that a run continues. An older one starts again: its
/// records would be too far from its time.
const MAX_PARTIAL_AGE_MS: i64 = 6 * 60 * 60 * 1_000;

/// The reads of a listing by page number after which a snapshot fails, since each found
/// records that the ones before it had missed.
const MAX_PASSES: u32 = 5;

/// The pages of one read of a listing. It bounds a listing without an end.
const MAX_PAGES: u32 = 20_000;

/// The consecutive pages without a new record after which a listing fails.
const MAX_PAGES_WITHOUT_NEW: u32 = 1_000;

/// The progress of a snapshot. A run that reaches its deadline stores it at
/// `_log/<dataset>/<tenant>/_partial`, with the objects that it has written.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct SnapshotState {
    version: u32,
    /// The number of the log record that the snapshot aims at.
    sequence: u64,
    /// The time of the snapshot; `None` before the first response.
    pub(crate) taken_ms: Option<i64>,
    /// The number of operations that are complete.
    pub(crate) complete: usize,
    /// The progress of the listing after them.
    pub(crate) listing: Option<ListingProgress>,
    /// The number of records by source.
    pub(crate) sources: Vec<SnapshotSource>,
    pub(crate) quarantined: u64,
    pub(crate) duplicates: u64,
    pub(crate) objects: Vec<DataObject>,
    pub(crate) ids: SeenIds,
}

impl SnapshotState {
    pub(crate) fn new(sequence: u64) -> Self {
        Self {
            version: 1,
            sequence,
            taken_ms: None,
            complete: 0,
            listing: None,
            sources: Vec::new(),
            quarantined: 0,
            duplicates: 0,
            objects: Vec::new(),
            ids: SeenIds::default(),
        }
    }

    fn path(stream: &StreamId) -> String {
        format!("{}/_partial", stream.log_folder())
    }

    /// Loads the progress of the snapshot that a run suspended. `None` without one that
    /// aims at `sequence`, and for an invalid or old one.
    pub(crate) async fn load(
        store: &Store,
        stream: &StreamId,
        sequence: u64,
        now_ms: i64,
    ) -> Result<Option<Self>, Error> {
        let Some(body) = store.read(&Self::path(stream)).await? else { return Ok(None) };
        let state = serde_json::from_slice::<Self>(&body).ok().filter(|state| {
            let age = state.taken_ms.map(|taken| now_ms - taken);
            state.version == 1
                && state.sequence == sequence
                && age.is_some_and(|age| age <= MAX_PARTIAL_AGE_MS)
                && state.objects.iter().all(|object| stream.owns_object(&object.path, sequence))
        });
        if state.is_none() {
            Self::remove(store, stream).await;
        }
        Ok(state)
    }

    /// Stores the progress for the next run.
    pub(crate) async fn save(&self, store: &Store, stream: &StreamId) -> Result<(), Error> {
        let body = serde_json::to_vec(self).map_err(std::io::Error::from)?;
        Ok(store.write(&Self::path(stream), body).await?)
    }

    /// Removes the stored progress. If that fails, the next run ignores it.
    pub(crate) async fn remove(store: &Store, stream: &StreamId) {
        let path = Self::path(stream);
        if let Err(error) = store.delete(&path).await {
            tracing::warn!(event = "partial_snapshot_not_removed", tenant_id = stream.tenant, path, %error, "failed to remove the progress of a snapshot; the next run ignores it");
        }
    }

    /// Counts records of a source.
    pub(crate) fn count(&mut self, source: &str, records: u64) {
        match self.sources.iter_mut().find(|known| known.source == source) {
            Some(known) => known.records += records,
            None => self.sources.push(SnapshotSource { source: source.to_owned(), records }),
        }
    }

    pub(crate) fn rows(&self) -> u64 {
        self.sources.iter().map(|source| source.records).sum()
    }
}

/// The progress of one listing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct ListingProgress {
    /// The position of the next page; `None` for the first.
    pub(crate) position: Option<String>,
    pub(crate) page_size: u32,
    /// The number of this read of the listing, from 1.
    pass: u32,
    /// The counts of this read.
    pages: u32,
    records: u64,
    new: u64,
    pages_without_new: u32,
    total: Option<u64>,
    /// Whether the total changed during this read.
    has_shifted: bool,
}

/// The state of a listing after a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PageResult {
    /// Another page follows.
    Continues,
    /// The listing changed while it was read, so it is read again.
    Repeats,
    /// All records were read.
    Complete,
}

/// A page of a listing.
#[derive(Debug)]
pub(crate) struct PageCounts {
    pub(crate) records: u64,
    /// The records that were not read before.
    pub(crate) new: u64,
    /// The number of records in all pages, if the service returned it.
    pub(crate) total: Option<u64>,
    /// The position of the next page.
    pub(crate) next: Option<String>,
}

impl ListingProgress {
    pub(crate) fn new(page_size: u32) -> Self {
        Self {
            position: None,
            page_size,
            pass: 1,
            pages: 0,
            records: 0,
            new: 0,
            pages_without_new: 0,
            total: None,
            has_shifted: false,
        }
    }

    /// Continues with smaller pages. The number of a page counts pages of its size.
    pub(crate) fn resize(&mut self, page_size: u32, is_keyed: bool) {
        if let (false, Some(number)) =
            (is_keyed, self.position.as_deref().and_then(|text| text.parse::<u64>().ok()))
        {
            let skipped = number.saturating_sub(1) * u64::from(self.page_size);
            self.position = Some((skipped / u64::from(page_size.max(1)) + 1).to_string());
        }
        self.page_size = page_size;
    }

    /// Records a page.
    ///
    /// A record that is added or removed before the current page moves the others, so
    /// that a listing by number may repeat or miss some. Then the counts differ, and the
    /// listing is read again until a read finds nothing new. Together the reads miss no
    /// record that existed all the time.
    ///
    /// # Errors
    /// When the listing has no end, or each read found something new.
    pub(crate) fn end_page(
        &mut self,
        page: PageCounts,
        is_keyed: bool,
    ) -> Result<PageResult, sophos_api::Error> {
        self.pages += 1;
        self.records += page.records;
        self.new += page.new;
        self.pages_without_new = if page.new == 0 { self.pages_without_new + 1 } else { 0 };
        self.has_shifted |= self.total.is_some() && page.total.is_some() && self.total != page.total;
        self.total = page.total.or(self.total);
        if page.next.is_some() {
            if self.pages_without_new >= MAX_PAGES_WITHOUT_NEW || self.pages >= MAX_PAGES {
                return Err(sophos_api::Error::malformed(format!(
                    "the listing has no end after {} pages",
                    self.pages
                )));
            }
            self.position = page.next;
            return Ok(PageResult::Continues);
        }
        let is_complete = match self.pass {
            _ if is_keyed => true,
            1 => {
                !self.has_shifted
                    && self.records == self.new
                    && self.total.is_none_or(|total| total == self.records)
            }
            _ => self.new == 0,
        };
        if is_complete {
            return Ok(PageResult::Complete);
        }
        if self.pass >= MAX_PASSES {
            return Err(sophos_api::Error::malformed(format!(
                "the listing changed during each of {MAX_PASSES} reads"
            )));
        }
        *self = Self { pass: self.pass + 1, ..Self::new(self.page_size) };
        Ok(PageResult::Repeats)
    }
}

/// The ids of a snapshot's rows: 17 bytes each, and as much for the table.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct SeenIds(HashMap<RecordId, u8>);

/// An id and the operation that it is from.
const SEEN_ID_LEN: usize = 17;

impl SeenIds {
    /// The id of a row for a record of the operation with this number; `None` if that
    /// operation returned the id before. An id that another operation returned gets the
    /// operation's path in front: ids are unique in a snapshot.
    pub(crate) fn row_id(&self, id: &str, operation: usize, source: &str) -> Option<String> {
        match self.0.get(&RecordId::new(id)) {
            None => Some(id.to_owned()),
            Some(other) if usize::from(*other) == operation => None,
            Some(_) => {
                let qualified = format!("{source}:{id}");
                (!self.0.contains_key(&RecordId::new(&qualified))).then_some(qualified)
            }
        }
    }

    pub(crate) fn insert(&mut self, row_id: &str, operation: usize) {
        self.0.insert(RecordId::new(row_id), operation.min(usize::from(u8::MAX)) as u8);
    }
}

impl Serialize for SeenIds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let bytes: Vec<u8> =
            self.0.iter().flat_map(|(id, operation)| id.to_bytes().into_iter().chain([*operation])).collect();
        serializer.serialize_str(&BASE64_STANDARD.encode(bytes))
    }
}

impl<'de> Deserialize<'de> for SeenIds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = BASE64_STANDARD.decode(text).map_err(D::Error::custom)?;
        let (ids, []) = bytes.as_chunks::<SEEN_ID_LEN>() else {
            return Err(D::Error::custom("the ids are cut"));
        };
        let parse = |[id @ .., operation]: &[u8; SEEN_ID_LEN]| (RecordId::from_bytes(*id), *operation);
        Ok(Self(ids.iter().map(parse).collect()))
    }
}
