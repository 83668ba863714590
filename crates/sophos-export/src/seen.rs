use std::collections::{HashSet, VecDeque};

use base64::{Engine, prelude::BASE64_STANDARD};

use crate::digest::sha256;

/// Ids kept at most, whatever the overlap: 24 bytes each in the queue, and as
/// much again in the set.
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

/// The ids read lately, so that none is written twice.
///
/// Remembered are those of the last `keep` records, and of all that the next
/// run will read again; the number is bounded, so memory is flat however long
/// the feed. If the bound cuts into what would be read again, the next run
/// starts later instead: see [`floor_ms`](Self::floor_ms).
#[derive(Debug)]
pub(crate) struct Seen {
    ids: HashSet<RecordId>,
    order: VecDeque<(RecordId, i64)>,
    keep: usize,
    most: usize,
    floor_ms: i64,
}

impl Seen {
    pub(crate) fn new(keep: usize) -> Self {
        Self {
            ids: HashSet::new(),
            order: VecDeque::new(),
            keep: keep.min(MOST),
            most: MOST,
            floor_ms: i64::MIN,
        }
    }

    /// Remembers a record that the service took in at `at_ms`. Says whether it
    /// is new.
    pub(crate) fn insert(&mut self, id: RecordId, at_ms: i64) -> bool {
        let new = self.ids.insert(id);
        if new {
            self.order.push_back((id, at_ms));
        }
        new
    }

    /// Forgets what is neither among the last nor taken in after `needed_ms`.
    pub(crate) fn forget_before(&mut self, needed_ms: i64) {
        while let Some((id, at_ms)) = self.order.front().copied() {
            let old = self.order.len() > self.keep && at_ms < needed_ms;
            let full = self.order.len() > self.most;
            if !old && !full {
                return;
            }
            self.order.pop_front();
            self.ids.remove(&id);
            if !old {
                self.floor_ms = self.floor_ms.max(at_ms + 1);
            }
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// Records taken in before this may have been forgotten: they must not be
    /// read again.
    pub(crate) fn floor_ms(&self) -> i64 {
        self.floor_ms
    }

    /// The ids as text, oldest first.
    pub(crate) fn save(&self) -> String {
        let bytes: Vec<u8> = self.order.iter().flat_map(|(id, _)| id.0).collect();
        BASE64_STANDARD.encode(bytes)
    }

    /// Remembers the ids of [`save`](Self::save), as of records taken in at
    /// `at_ms`. `None` when the text is not of that form.
    pub(crate) fn load(&mut self, text: &str, at_ms: i64) -> Option<()> {
        let bytes = BASE64_STANDARD.decode(text).ok()?;
        let (ids, rest) = bytes.as_chunks::<16>();
        for id in ids {
            self.insert(RecordId(*id), at_ms);
        }
        rest.is_empty().then_some(())
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

    #[test]
    fn saved_ids_are_known_again() {
        let mut seen = Seen::new(10);
        assert!(seen.insert(RecordId::new("a"), 1));
        assert!(!seen.insert(RecordId::new("a"), 2));
        assert!(seen.insert(RecordId::new("b"), 2));
        let mut next = Seen::new(10);
        next.load(&seen.save(), 2).expect("its own form");
        assert!(!next.insert(RecordId::new("a"), 3));
        assert!(!next.insert(RecordId::new("b"), 3));
        assert!(next.load("AAAA", 0).is_none());
        assert!(next.load("not base64!", 0).is_none());
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
                prop_assert!(seen.insert(id, at));
                inserted.push((id, at));
                seen.forget_before(now - overlap);
                prop_assert!(seen.order.len() <= most);
                prop_assert_eq!(seen.order.len(), seen.ids.len());
            }
            for (id, at) in &inserted {
                if *at >= (now - overlap).max(seen.floor_ms()) {
                    prop_assert!(seen.ids.contains(id));
                }
            }
            for (id, _) in inserted.iter().rev().take(keep) {
                prop_assert!(seen.ids.contains(id));
            }
        }
    }
}
