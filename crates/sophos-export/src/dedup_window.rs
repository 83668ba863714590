//! The latest records, to recognize duplicates and revisions.

use std::collections::{VecDeque, hash_map::Entry};

use base64::{Engine, prelude::BASE64_STANDARD};
use foldhash::{HashMap, HashMapExt, HashSet, HashSetExt};

use crate::{content_digest::ContentHash, digest::sha256};

/// The maximum number of records: 32 bytes each in the queue, and as much in the map.
pub(crate) const MAX_RECORDS: usize = 100_000;

/// The id of a record in 16 bytes: a UUID itself, or a hash of any other id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct RecordId([u8; 16]);

impl RecordId {
    pub(crate) fn new(text: &str) -> Self {
        Self(parse_uuid(text).unwrap_or_else(|| {
            let mut id = [0; 16];
            id.copy_from_slice(&sha256(text.as_bytes())[..16]);
            id
        }))
    }

    pub(crate) const fn from_bytes(id: [u8; 16]) -> Self {
        Self(id)
    }

    pub(crate) const fn to_bytes(self) -> [u8; 16] {
        self.0
    }
}

/// The values of hexadecimal digits; 255 for another byte.
const HEX_DIGITS: [u8; 256] = {
    let mut values = [u8::MAX; 256];
    let mut value = 0;
    while value < 16 {
        values[b"0123456789abcdef"[value] as usize] = value as u8;
        values[b"0123456789ABCDEF"[value] as usize] = value as u8;
        value += 1;
    }
    values
};

fn parse_uuid(text: &str) -> Option<[u8; 16]> {
    const FIRST_DIGITS: [usize; 16] = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34];
    let text: &[u8; 36] = text.as_bytes().try_into().ok()?;
    let mut all = 0;
    let id = FIRST_DIGITS.map(|at| {
        let [high, low] = [text[at], text[at + 1]].map(|digit| HEX_DIGITS[usize::from(digit)]);
        all |= high | low;
        high << 4 | low
    });
    (all < 16 && [8, 13, 18, 23].iter().all(|at| text[*at] == b'-')).then_some(id)
}

/// The relation of a record to earlier ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DedupResult {
    /// The id is new.
    New,
    /// The id and the content are known.
    Duplicate,
    /// The id is known with other content. This is the number of the revision.
    Revision(u32),
}

/// A version of a record. The digest is 0 if the content is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct RecordVersion {
    content_digest: u32,
    revision: u32,
}

/// The content of a window, as the log stores it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct DedupSnapshot {
    /// The ids, oldest first: Base64 of 16 bytes each.
    pub(crate) ids: String,
    /// The digests of their contents: Base64 of 4 bytes each.
    pub(crate) digests: String,
    /// The times of their creation in seconds since the Unix epoch: Base64 of 4 bytes each.
    pub(crate) times: String,
    /// The revisions among them: the index and the revision.
    pub(crate) revisions: Vec<(usize, u32)>,
    /// The hash function of the digests.
    pub(crate) content_hash: ContentHash,
}

/// The latest records, so that none is written twice.
///
/// The window keeps the last `min_len` records and all that the next run may reread. A
/// maximum bounds its memory. If the maximum evicts records that may be reread, the next
/// run starts later: see [`complete_from_ms`](Self::complete_from_ms).
#[derive(Debug)]
pub(crate) struct DedupWindow {
    latest: HashMap<RecordId, RecordVersion>,
    /// Versions before the latest, which the feed repeats as well.
    previous: HashSet<(RecordId, u32)>,
    queue: VecDeque<(RecordId, RecordVersion, i64)>,
    min_len: usize,
    max_len: usize,
    complete_from_ms: i64,
    content_hash: ContentHash,
}

impl DedupWindow {
    pub(crate) fn new(min_len: usize) -> Self {
        Self {
            latest: HashMap::new(),
            previous: HashSet::new(),
            queue: VecDeque::new(),
            min_len: min_len.min(MAX_RECORDS),
            max_len: MAX_RECORDS,
            complete_from_ms: i64::MIN,
            content_hash: ContentHash::Xxh3,
        }
    }

    /// The hash function of the contents.
    pub(crate) fn content_hash(&self) -> ContentHash {
        self.content_hash
    }

    /// Adds a record that was created at `at_ms`. A content of 0 is unknown and matches
    /// every version.
    pub(crate) fn insert(&mut self, id: RecordId, content: u32, at_ms: i64) -> DedupResult {
        let (version, result) = match self.latest.entry(id) {
            Entry::Vacant(vacant) => {
                (*vacant.insert(RecordVersion { content_digest: content, revision: 0 }), DedupResult::New)
            }
            Entry::Occupied(mut occupied) => {
                let latest = occupied.get_mut();
                if content == 0 || latest.content_digest == content {
                    return DedupResult::Duplicate;
                }
                if latest.content_digest == 0 {
                    latest.content_digest = content;
                    return DedupResult::Duplicate;
                }
                if self.previous.contains(&(id, content)) {
                    return DedupResult::Duplicate;
                }
                self.previous.insert((id, latest.content_digest));
                let revision = latest.revision.saturating_add(1);
                *latest = RecordVersion { content_digest: content, revision };
                (*latest, DedupResult::Revision(revision))
            }
        };
        self.queue.push_back((id, version, at_ms));
        result
    }

    /// Evicts records that are older than `needed_from_ms` and beyond the minimum number.
    pub(crate) fn evict_before(&mut self, needed_from_ms: i64) {
        while let Some((id, version, at_ms)) = self.queue.front().copied() {
            let old = self.queue.len() > self.min_len && at_ms < needed_from_ms;
            let full = self.queue.len() > self.max_len;
            if !old && !full {
                return;
            }
            self.queue.pop_front();
            match self.latest.entry(id) {
                Entry::Occupied(latest) if latest.get().revision == version.revision => {
                    latest.remove();
                }
                _ => {
                    self.previous.remove(&(id, version.content_digest));
                }
            }
            if !old {
                self.complete_from_ms = self.complete_from_ms.max(at_ms + 1);
            }
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Whether the next record evicts another one.
    pub(crate) fn is_full(&self) -> bool {
        self.queue.len() >= self.max_len
    }

    pub(crate) fn contains(&self, id: RecordId) -> bool {
        self.latest.contains_key(&id)
    }

    /// Keeps the records of a complete listing: the latest version of each, and earlier
    /// versions from `previous_from_ms` on.
    pub(crate) fn retain_listed(&mut self, ids: &HashSet<RecordId>, previous_from_ms: i64) {
        let Self { latest, previous, queue, .. } = self;
        queue.retain(|(id, version, at_ms)| {
            let is_latest = latest.get(id).is_some_and(|latest| latest.revision == version.revision);
            let keep = ids.contains(id) && (is_latest || *at_ms >= previous_from_ms);
            if !keep && !is_latest {
                previous.remove(&(*id, version.content_digest));
            }
            keep
        });
        latest.retain(|id, _| ids.contains(id));
    }

    /// The time from which the window is complete. Older records may have been evicted, so
    /// the next run must not reread them.
    pub(crate) fn complete_from_ms(&self) -> i64 {
        self.complete_from_ms
    }

    /// The content of the window, as the log stores it.
    pub(crate) fn snapshot(&self) -> DedupSnapshot {
        let ids: Vec<u8> = self.queue.iter().flat_map(|(id, ..)| id.0).collect();
        let contents: Vec<u8> =
            self.queue.iter().flat_map(|(_, version, _)| version.content_digest.to_be_bytes()).collect();
        let times: Vec<u8> =
            self.queue.iter().flat_map(|(.., at_ms)| to_seconds(*at_ms).to_be_bytes()).collect();
        let revisions =
            self.queue.iter().enumerate().map(|(index, (_, version, _))| (index, version.revision));
        DedupSnapshot {
            ids: BASE64_STANDARD.encode(ids),
            digests: BASE64_STANDARD.encode(contents),
            times: BASE64_STANDARD.encode(times),
            revisions: revisions.filter(|(_, revision)| *revision > 0).collect(),
            content_hash: self.content_hash,
        }
    }

    /// Adds the records of a [snapshot](Self::snapshot) to an empty window, and continues
    /// with its hash function. `None` if it is invalid. Digests may be missing. Without
    /// times the records count as created at `at_ms`.
    pub(crate) fn restore(&mut self, saved: &DedupSnapshot, at_ms: i64) -> Option<()> {
        let ids = BASE64_STANDARD.decode(&saved.ids).ok()?;
        let contents = BASE64_STANDARD.decode(&saved.digests).ok()?;
        let times = BASE64_STANDARD.decode(&saved.times).ok()?;
        let ((ids, []), (contents, []), (times, [])) =
            (ids.as_chunks::<16>(), contents.as_chunks::<4>(), times.as_chunks::<4>())
        else {
            return None;
        };
        self.content_hash = saved.content_hash;
        let revisions: HashMap<_, _> = saved.revisions.iter().copied().collect();
        for (index, id) in ids.iter().enumerate() {
            let id = RecordId(*id);
            let content = contents.get(index).map_or(0, |content| u32::from_be_bytes(*content));
            let revision = revisions.get(&index).copied().unwrap_or(0);
            if let Some(before) = self.latest.get(&id) {
                self.previous.insert((id, before.content_digest));
            }
            let at_ms = times.get(index).map_or(at_ms, |time| i64::from(u32::from_be_bytes(*time)) * 1_000);
            let version = RecordVersion { content_digest: content, revision };
            self.latest.insert(id, version);
            self.queue.push_back((id, version, at_ms));
        }
        Some(())
    }
}

/// A time in whole seconds, not before the time itself.
fn to_seconds(ms: i64) -> u32 {
    let seconds = ms.max(0).saturating_add(999) / 1_000;
    seconds.try_into().unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn record_id_distinguishes_ids_of_any_form() {
        let upper = RecordId::new("5AC55058-622D-4929-8E5D-8FF554F312FE");
        assert_eq!(upper, RecordId::new("5ac55058-622d-4929-8e5d-8ff554f312fe"));
        for other in ["", "5ac55058-622d-4929-8e5d-8ff554f312ff", "5ac55058x622d-4929-8e5d-8ff554f312fe", "é"]
        {
            assert_ne!(upper, RecordId::new(other), "{other}");
        }
        assert_ne!(RecordId::new("a"), RecordId::new("b"));
    }

    fn insert(window: &mut DedupWindow, id: &str, content: u32) -> DedupResult {
        window.insert(RecordId::new(id), content, 1)
    }

    #[test]
    fn dedup_window_recognizes_records_after_restore() {
        let mut window = DedupWindow::new(10);
        assert_eq!(insert(&mut window, "a", 1), DedupResult::New);
        assert_eq!(insert(&mut window, "a", 1), DedupResult::Duplicate);
        assert_eq!(insert(&mut window, "b", 1), DedupResult::New);
        assert_eq!(insert(&mut window, "a", 2), DedupResult::Revision(1));
        for _ in 0..2 {
            let mut next = DedupWindow::new(10);
            next.restore(&window.snapshot(), 2).expect("a valid snapshot");
            assert_eq!(next.snapshot(), window.snapshot());
            window = next;
            // The feed has both versions, and sends both again.
            assert_eq!(insert(&mut window, "a", 1), DedupResult::Duplicate);
            assert_eq!(insert(&mut window, "a", 2), DedupResult::Duplicate);
        }
        assert_eq!(insert(&mut window, "a", 3), DedupResult::Revision(2));
        assert_eq!(insert(&mut window, "a", 0), DedupResult::Duplicate, "of unknown content");
        for ids in ["AAAA", "not base64!"] {
            let saved = DedupSnapshot { ids: ids.into(), ..DedupSnapshot::default() };
            assert!(DedupWindow::new(10).restore(&saved, 0).is_none());
        }
    }

    #[test]
    fn dedup_window_keeps_times_across_a_restore() {
        let mut window = DedupWindow::new(0);
        window.insert(RecordId::new("old"), 1, 1_001);
        window.insert(RecordId::new("new"), 1, 9_000);
        let mut next = DedupWindow::new(0);
        next.restore(&window.snapshot(), 100_000).expect("a valid snapshot");
        next.evict_before(2_000);
        assert!(next.contains(RecordId::new("old")), "the time is rounded up");
        next.evict_before(2_001);
        assert!(!next.contains(RecordId::new("old")) && next.contains(RecordId::new("new")));
        assert_eq!(next.complete_from_ms(), i64::MIN, "nothing was evicted for lack of space");
    }

    #[test]
    fn dedup_window_keeps_the_latest_of_a_listing() {
        let mut window = DedupWindow::new(10);
        for (id, content) in [("a", 1), ("a", 2), ("a", 3), ("gone", 1)] {
            window.insert(RecordId::new(id), content, i64::from(content));
        }
        window.retain_listed(&HashSet::from_iter([RecordId::new("a")]), 2);
        assert_eq!((window.queue.len(), window.latest.len(), window.previous.len()), (2, 1, 1));
        assert_eq!(insert(&mut window, "a", 2), DedupResult::Duplicate);
        assert_eq!(insert(&mut window, "a", 3), DedupResult::Duplicate);
        assert_eq!(insert(&mut window, "a", 4), DedupResult::Revision(3));
        assert_eq!(insert(&mut window, "gone", 1), DedupResult::New);
    }

    #[test]
    fn dedup_window_learns_the_content_of_a_duplicate() {
        let mut window = DedupWindow::new(10);
        assert_eq!(insert(&mut window, "a", 0), DedupResult::New);
        assert_eq!(insert(&mut window, "a", 5), DedupResult::Duplicate);
        assert_eq!(insert(&mut window, "a", 6), DedupResult::Revision(1));
        window.min_len = 0;
        window.evict_before(2);
        assert!(window.is_empty() && window.latest.is_empty());
    }

    proptest! {
        /// The window keeps all records from `complete_from_ms` on that may be reread, and
        /// no more than it needs.
        #[test]
        fn dedup_window_keeps_what_may_be_read_again(
            steps in prop::collection::vec((0_i64..50, 0_i64..30), 1..400),
            keep in 0_usize..20,
            most in 20_usize..60,
            overlap in 0_i64..500,
        ) {
            let mut window = DedupWindow { max_len: most, ..DedupWindow::new(keep) };
            let mut inserted = Vec::new();
            let mut now = 0;
            for (index, (step, late)) in steps.into_iter().enumerate() {
                now += step;
                let at = now - late;
                let id = RecordId::new(&index.to_string());
                prop_assert_eq!(window.insert(id, 1, at), DedupResult::New);
                if late % 3 == 0 {
                    prop_assert_eq!(window.insert(id, 2, at), DedupResult::Revision(1));
                }
                inserted.push((id, at));
                window.evict_before(now - overlap);
                prop_assert!(window.queue.len() <= most);
                prop_assert_eq!(window.queue.len(), window.latest.len() + window.previous.len());
            }
            for (id, at) in &inserted {
                if *at >= (now - overlap).max(window.complete_from_ms()) {
                    prop_assert!(window.latest.contains_key(id));
                }
            }
            for (id, _) in inserted.iter().rev().take(keep / 2) {
                prop_assert!(window.latest.contains_key(id));
            }
        }
    }
}
