//! The records of late, to recognize what the service sends again.

use std::collections::{HashMap, HashSet, VecDeque};

use base64::{Engine, prelude::BASE64_STANDARD};

use crate::digest::sha256;

/// Records kept at most, whatever the overlap: 32 bytes each in the queue, and as
/// much again in the map.
const MOST: usize = 100_000;

/// The id of a record in 16 bytes: a UUID as it is, anything else hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct RecordId([u8; 16]);

impl RecordId {
    pub(crate) fn new(text: &str) -> Self {
        Self(uuid(text).unwrap_or_else(|| {
            let mut id = [0; 16];
            id.copy_from_slice(&sha256(text.as_bytes())[..16]);
            id
        }))
    }
}

fn uuid(text: &str) -> Option<[u8; 16]> {
    let bytes = text.as_bytes();
    if bytes.len() != 36 {
        return None;
    }
    let mut id = [0; 16];
    let mut digits = 0;
    for (index, byte) in bytes.iter().enumerate() {
        if matches!(index, 8 | 13 | 18 | 23) {
            if *byte != b'-' {
                return None;
            }
            continue;
        }
        let value = char::from(*byte).to_digit(16)? as u8;
        id[digits / 2] |= if digits % 2 == 0 { value << 4 } else { value };
        digits += 1;
    }
    Some(id)
}

/// What a record is in view of those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sighting {
    /// Its id is new.
    New,
    /// It came before, with this content.
    Repeated,
    /// Its id came before, with other content: this is its n-th revision.
    Revised(u32),
}

/// A version of a record: its content, or 0 if that is not known, and its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Version {
    content: u32,
    revision: u32,
}

/// The versions of records that are remembered, as the log keeps them.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Saved {
    /// The ids, oldest first: Base64 of 16 bytes each.
    pub(crate) ids: String,
    /// The digests of their contents: Base64 of 4 bytes each.
    pub(crate) contents: String,
    /// Which of them are revisions: the index and the revision.
    pub(crate) revisions: Vec<(usize, u32)>,
}

/// The records read lately, so that none is written twice.
///
/// Remembered are the last `keep` records, and all that the next run will read
/// again; the number is bounded, so memory is flat however long the feed. If the
/// bound cuts into what would be read again, the next run starts later instead:
/// see [`floor_ms`](Self::floor_ms).
#[derive(Debug)]
pub(crate) struct Seen {
    latest: HashMap<RecordId, Version>,
    /// Versions before the latest: the feed sends them again as well.
    older: HashSet<(RecordId, u32)>,
    order: VecDeque<(RecordId, Version, i64)>,
    keep: usize,
    most: usize,
    floor_ms: i64,
}

impl Seen {
    pub(crate) fn new(keep: usize) -> Self {
        Self {
            latest: HashMap::new(),
            older: HashSet::new(),
            order: VecDeque::new(),
            keep: keep.min(MOST),
            most: MOST,
            floor_ms: i64::MIN,
        }
    }

    /// Remembers a record that the service took in at `at_ms`. A content of 0 is
    /// that of every version.
    pub(crate) fn note(&mut self, id: RecordId, content: u32, at_ms: i64) -> Sighting {
        let (revision, sighting) = match self.latest.get_mut(&id) {
            None => (0, Sighting::New),
            Some(latest) if content == 0 || latest.content == content => return Sighting::Repeated,
            Some(latest) if latest.content == 0 => {
                latest.content = content;
                return Sighting::Repeated;
            }
            Some(_) if self.older.contains(&(id, content)) => return Sighting::Repeated,
            Some(latest) => {
                let revision = latest.revision.saturating_add(1);
                self.older.insert((id, latest.content));
                (revision, Sighting::Revised(revision))
            }
        };
        self.remember(id, Version { content, revision }, at_ms);
        sighting
    }

    fn remember(&mut self, id: RecordId, version: Version, at_ms: i64) {
        self.latest.insert(id, version);
        self.order.push_back((id, version, at_ms));
    }

    /// Forgets what is neither among the last nor taken in after `needed_ms`.
    pub(crate) fn forget_before(&mut self, needed_ms: i64) {
        while let Some((id, version, at_ms)) = self.order.front().copied() {
            let old = self.order.len() > self.keep && at_ms < needed_ms;
            let full = self.order.len() > self.most;
            if !old && !full {
                return;
            }
            self.order.pop_front();
            if self.latest.get(&id).is_some_and(|latest| latest.revision == version.revision) {
                self.latest.remove(&id);
            } else {
                self.older.remove(&(id, version.content));
            }
            if !old {
                self.floor_ms = self.floor_ms.max(at_ms + 1);
            }
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// Records taken in before this may have been forgotten: they must not be
    /// read again.
    pub(crate) fn floor_ms(&self) -> i64 {
        self.floor_ms
    }

    /// What is remembered, as the log keeps it.
    pub(crate) fn save(&self) -> Saved {
        let ids: Vec<u8> = self.order.iter().flat_map(|(id, ..)| id.0).collect();
        let contents: Vec<u8> =
            self.order.iter().flat_map(|(_, version, _)| version.content.to_be_bytes()).collect();
        let revisions =
            self.order.iter().enumerate().map(|(index, (_, version, _))| (index, version.revision));
        Saved {
            ids: BASE64_STANDARD.encode(ids),
            contents: BASE64_STANDARD.encode(contents),
            revisions: revisions.filter(|(_, revision)| *revision > 0).collect(),
        }
    }

    /// Remembers what was [saved](Self::save), as of records taken in at `at_ms`.
    /// `None` when it is not of that form. Contents may be missing.
    pub(crate) fn load(&mut self, saved: &Saved, at_ms: i64) -> Option<()> {
        let ids = BASE64_STANDARD.decode(&saved.ids).ok()?;
        let contents = BASE64_STANDARD.decode(&saved.contents).ok()?;
        let ((ids, []), (contents, [])) = (ids.as_chunks::<16>(), contents.as_chunks::<4>()) else {
            return None;
        };
        let revisions: HashMap<_, _> = saved.revisions.iter().copied().collect();
        for (index, id) in ids.iter().enumerate() {
            let id = RecordId(*id);
            let content = contents.get(index).map_or(0, |content| u32::from_be_bytes(*content));
            let revision = revisions.get(&index).copied().unwrap_or(0);
            if let Some(before) = self.latest.get(&id) {
                self.older.insert((id, before.content));
            }
            self.remember(id, Version { content, revision }, at_ms);
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ids_are_told_apart_whatever_their_form() {
        let upper = RecordId::new("5AC55058-622D-4929-8E5D-8FF554F312FE");
        assert_eq!(upper, RecordId::new("5ac55058-622d-4929-8e5d-8ff554f312fe"));
        for other in ["", "5ac55058-622d-4929-8e5d-8ff554f312ff", "5ac55058x622d-4929-8e5d-8ff554f312fe", "é"]
        {
            assert_ne!(upper, RecordId::new(other), "{other}");
        }
        assert_ne!(RecordId::new("a"), RecordId::new("b"));
    }

    fn new(seen: &mut Seen, id: &str, content: u32) -> Sighting {
        seen.note(RecordId::new(id), content, 1)
    }

    #[test]
    fn saved_records_are_known_again() {
        let mut seen = Seen::new(10);
        assert_eq!(new(&mut seen, "a", 1), Sighting::New);
        assert_eq!(new(&mut seen, "a", 1), Sighting::Repeated);
        assert_eq!(new(&mut seen, "b", 1), Sighting::New);
        assert_eq!(new(&mut seen, "a", 2), Sighting::Revised(1));
        for _ in 0..2 {
            let mut next = Seen::new(10);
            next.load(&seen.save(), 2).expect("its own form");
            assert_eq!(next.save(), seen.save());
            seen = next;
            // The feed has both versions, and sends both again.
            assert_eq!(new(&mut seen, "a", 1), Sighting::Repeated);
            assert_eq!(new(&mut seen, "a", 2), Sighting::Repeated);
        }
        assert_eq!(new(&mut seen, "a", 3), Sighting::Revised(2));
        assert_eq!(new(&mut seen, "a", 0), Sighting::Repeated, "of an unknown content");
        for ids in ["AAAA", "not base64!"] {
            let saved = Saved { ids: ids.into(), ..Saved::default() };
            assert!(Seen::new(10).load(&saved, 0).is_none());
        }
    }

    #[test]
    fn a_record_of_unknown_content_is_known_from_then_on() {
        let mut seen = Seen::new(10);
        assert_eq!(new(&mut seen, "a", 0), Sighting::New);
        assert_eq!(new(&mut seen, "a", 5), Sighting::Repeated);
        assert_eq!(new(&mut seen, "a", 6), Sighting::Revised(1));
        seen.keep = 0;
        seen.forget_before(2);
        assert!(seen.is_empty() && seen.latest.is_empty());
    }

    proptest! {
        /// Nothing that may be read again is forgotten, unless the floor says
        /// so; and no more is kept than is needed.
        #[test]
        fn what_may_be_read_again_is_known(
            steps in prop::collection::vec((0_i64..50, 0_i64..30), 1..400),
            keep in 0_usize..20,
            most in 20_usize..60,
            overlap in 0_i64..500,
        ) {
            let mut seen = Seen { most, ..Seen::new(keep) };
            let mut inserted = Vec::new();
            let mut now = 0;
            for (index, (step, late)) in steps.into_iter().enumerate() {
                now += step;
                let at = now - late;
                let id = RecordId::new(&index.to_string());
                prop_assert_eq!(seen.note(id, 1, at), Sighting::New);
                if late % 3 == 0 {
                    prop_assert_eq!(seen.note(id, 2, at), Sighting::Revised(1));
                }
                inserted.push((id, at));
                seen.forget_before(now - overlap);
                prop_assert!(seen.order.len() <= most);
                prop_assert_eq!(seen.order.len(), seen.latest.len() + seen.older.len());
            }
            for (id, at) in &inserted {
                if *at >= (now - overlap).max(seen.floor_ms()) {
                    prop_assert!(seen.latest.contains_key(id));
                }
            }
            for (id, _) in inserted.iter().rev().take(keep / 2) {
                prop_assert!(seen.latest.contains_key(id));
            }
        }
    }
}
