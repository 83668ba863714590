//! What a FIFO queue remembers of the messages that it accepted.

use std::{
    collections::{HashMap, VecDeque},
    time::{Duration, Instant},
};

use super::state::Sent;

/// How long a deduplication id stands for the message that it came with first.
const INTERVAL: Duration = Duration::from_secs(5 * 60);

#[derive(Debug, Default)]
pub(super) struct Duplicates {
    known: HashMap<String, Sent>,
    by_age: VecDeque<(Instant, String)>,
}

impl Duplicates {
    /// What came with this id before.
    pub(super) fn find(&mut self, id: &str) -> Option<Sent> {
        let now = Instant::now();
        while let Some((_, old)) = self.by_age.pop_front_if(|(since, _)| now - *since >= INTERVAL) {
            self.known.remove(&old);
        }
        self.known.get(id).cloned()
    }

    pub(super) fn remember(&mut self, id: String, sent: Sent) {
        self.by_age.push_back((Instant::now(), id.clone()));
        self.known.insert(id, sent);
    }

    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }
}
