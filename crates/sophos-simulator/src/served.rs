//! The served records, as one bit each.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

/// The kinds of records whose delivery is tracked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dataset {
    /// The SIEM feed of events.
    Events,
    /// The SIEM feed of alerts.
    Alerts,
    /// The alerts of the Common API: the records and ids of [`Dataset::Alerts`].
    CommonAlerts,
}

impl Dataset {
    /// The dataset's name in the paths of the control host.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::Alerts => "alerts",
            Self::CommonAlerts => "common_alerts",
        }
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        [Self::Events, Self::Alerts, Self::CommonAlerts].into_iter().find(|d| d.as_str() == name)
    }
}

impl AsRef<str> for Dataset {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

/// The number of distinct records in complete responses.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ServedTotals {
    /// By dataset, then by tenant id.
    pub by_tenant: BTreeMap<Dataset, BTreeMap<String, u64>>,
    /// By dataset.
    pub total: BTreeMap<Dataset, u64>,
}

const CHUNK_WORDS: usize = 64;
const CHUNK: u64 = 64 * CHUNK_WORDS as u64;

#[derive(Debug, Default)]
struct BitSet {
    chunks: BTreeMap<u64, Box<[u64; CHUNK_WORDS]>>,
    count: u64,
}

impl BitSet {
    fn insert(&mut self, index: u64) {
        let chunk = self.chunks.entry(index / CHUNK).or_insert_with(|| Box::new([0; CHUNK_WORDS]));
        let word = &mut chunk[(index % CHUNK / 64) as usize];
        let bit = 1u64 << (index % 64);
        self.count += u64::from(*word & bit == 0);
        *word |= bit;
    }

    fn iter(&self) -> impl Iterator<Item = u64> + '_ {
        self.chunks.iter().flat_map(|(chunk, words)| {
            words.iter().enumerate().flat_map(move |(at, word)| {
                let base = chunk * CHUNK + at as u64 * 64;
                (0..64).filter(move |bit| word >> bit & 1 == 1).map(move |bit| base + bit)
            })
        })
    }
}

/// All served records, by dataset and tenant index.
#[derive(Debug, Default)]
pub(crate) struct Served(Mutex<HashMap<(Dataset, usize), BitSet>>);

impl Served {
    pub(crate) fn record(&self, dataset: Dataset, tenant: usize, indexes: &[u64]) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let bits = all.entry((dataset, tenant)).or_default();
        indexes.iter().for_each(|index| bits.insert(*index));
    }

    pub(crate) fn indexes(&self, dataset: Dataset, tenant: usize) -> Vec<u64> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(&(dataset, tenant)).map_or_else(Vec::new, |bits| bits.iter().collect())
    }

    /// The dataset, tenant index and count of each non-empty set.
    pub(crate) fn counts(&self) -> Vec<(Dataset, usize, u64)> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter()
            .filter(|(_, bits)| bits.count > 0)
            .map(|((dataset, tenant), bits)| (*dataset, *tenant, bits.count))
            .collect()
    }

    pub(crate) fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn served_indexes_are_distinct_and_sorted() {
        let served = Served::default();
        served.record(Dataset::Events, 3, &[70_000, 5, 5, 64, 63]);
        served.record(Dataset::Events, 3, &[5]);
        assert_eq!(served.indexes(Dataset::Events, 3), [5, 63, 64, 70_000]);
        assert_eq!(served.indexes(Dataset::Alerts, 3), [0u64; 0]);
        assert_eq!(served.counts(), [(Dataset::Events, 3, 4)]);
        served.clear();
        assert!(served.counts().is_empty());
    }

    #[test]
    fn dataset_parses_its_name() {
        assert_eq!(Dataset::parse("events"), Some(Dataset::Events));
        assert_eq!(Dataset::parse("common_alerts"), Some(Dataset::CommonAlerts));
        assert_eq!(Dataset::parse("cases"), None);
    }
}
