use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// A kind of records of a tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Dataset {
    /// The events of the SIEM feed. Events in a gap are lost.
    Events,
    /// The alerts of the SIEM feed. Alerts in a gap are backfilled from the Common API,
    /// which keeps them for 90 days.
    Alerts,
}

impl Dataset {
    /// All datasets.
    pub const ALL: [Self; 2] = [Self::Events, Self::Alerts];

    /// The name in paths and in the configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::Alerts => "alerts",
        }
    }

    /// The path of the operation, which is the source in rows.
    pub(crate) const fn source(self) -> &'static str {
        match self {
            Self::Events => "siem/v1/events",
            Self::Alerts => "siem/v1/alerts",
        }
    }

    /// The minimum number of records in the deduplication window, since the feed repeats
    /// records hours later. Alerts are few, and a backfill must be compared with the feed
    /// of a whole day.
    pub(crate) const fn min_dedup_records(self) -> usize {
        match self {
            Self::Events => 2_000,
            Self::Alerts => 20_000,
        }
    }
}

impl fmt::Display for Dataset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// An unknown name of a dataset.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown dataset \"{0}\": expected `events` or `alerts`")]
pub struct UnknownDataset(String);

impl FromStr for Dataset {
    type Err = UnknownDataset;

    fn from_str(text: &str) -> Result<Self, UnknownDataset> {
        Self::ALL
            .into_iter()
            .find(|dataset| dataset.name() == text.trim())
            .ok_or_else(|| UnknownDataset(text.trim().to_owned()))
    }
}
