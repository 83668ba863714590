use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// What is exported of a tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Dataset {
    /// The events of the SIEM feed. What the feed lost cannot be had again.
    Events,
    /// The alerts of the SIEM feed. What the feed lost is read from the Common
    /// API, which keeps alerts for 90 days.
    Alerts,
}

impl Dataset {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Events, Self::Alerts];

    /// The name, in paths and in the configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::Alerts => "alerts",
        }
    }

    /// The operation's path, as rows name their source.
    pub(crate) const fn source(self) -> &'static str {
        match self {
            Self::Events => "siem/v1/events",
            Self::Alerts => "siem/v1/alerts",
        }
    }

    /// How many ids are remembered at least, so that what the feed repeats
    /// hours later is known. An estate has few alerts, and what is read from
    /// the Common API must be told from what the feed of a whole day gave.
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

/// The name of no dataset.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is no dataset; there are events and alerts")]
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
