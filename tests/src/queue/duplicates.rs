//! The deduplication window of a FIFO queue.

use std::{
    collections::{HashMap, VecDeque},
    time::{Duration, Instant},
};

use super::state::SentMessage;

/// The time in which a queue drops messages with a known deduplication id.
const DEDUPLICATION_INTERVAL: Duration = Duration::from_secs(5 * 60);

#[derive(Debug, Default)]
pub(super) struct DeduplicationWindow {
    by_id: HashMap<String, SentMessage>,
    by_age: VecDeque<(Instant, String)>,
}

impl DeduplicationWindow {
    /// The earlier message with this id.
    pub(super) fn find(&mut self, id: &str) -> Option<SentMessage> {
        let now = Instant::now();
        while let Some((_, old)) =
            self.by_age.pop_front_if(|(since, _)| now - *since >= DEDUPLICATION_INTERVAL)
        {
            self.by_id.remove(&old);
        }
        self.by_id.get(id).cloned()
    }

    pub(super) fn insert(&mut self, id: String, sent: SentMessage) {
        self.by_age.push_back((Instant::now(), id.clone()));
        self.by_id.insert(id, sent);
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}
