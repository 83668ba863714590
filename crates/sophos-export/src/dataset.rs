use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::dedup_window::MAX_RECORDS;

/// A kind of records of a tenant, of a partner or organization, or of a ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Dataset {
    /// The events of the SIEM feed. Events in a gap are lost.
    Events,
    /// The alerts of the SIEM feed. Alerts in a gap are backfilled from the Common API,
    /// which keeps them for 90 days.
    Alerts,
    /// The audit log: who changed which setting. The service keeps it for 90 days.
    Audit,
    /// The detections of XDR.
    Detections,
    /// The cases of XDR and MDR.
    Cases,
    /// Snapshots of the endpoints, in the full view.
    Endpoints,
    /// The changes between two snapshots of the endpoints.
    EndpointChanges,
    /// Snapshots of the account health check.
    Health,
    /// Snapshots of the endpoint policies.
    Policies,
    /// Snapshots of the exclusions, and of the allowed and blocked items.
    Exclusions,
    /// Snapshots of the licenses.
    Licenses,
    /// Snapshots of the firewalls and firewall groups.
    Firewalls,
    /// Snapshots of the administrators and their roles.
    Admins,
    /// The transitions of the decisions in a ledger of isolation.
    Isolations,
}

/// The manner in which a dataset is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DatasetKind {
    /// A feed with a cursor that forgets: the SIEM feeds.
    Feed,
    /// A log or list that is read by time.
    Log,
    /// The state at a point in time, complete or absent.
    Snapshot,
    /// The changes between two snapshots, without requests.
    Changes,
    /// A ledger of isolation, which is one stream for all tenants, without requests.
    Ledger,
}

impl Dataset {
    /// All datasets.
    pub const ALL: [Self; 14] = [
        Self::Events,
        Self::Alerts,
        Self::Audit,
        Self::Detections,
        Self::Cases,
        Self::Endpoints,
        Self::EndpointChanges,
        Self::Health,
        Self::Policies,
        Self::Exclusions,
        Self::Licenses,
        Self::Firewalls,
        Self::Admins,
        Self::Isolations,
    ];

    /// The datasets that are exported if none is chosen: the two SIEM feeds.
    pub const DEFAULT: [Self; 2] = [Self::Events, Self::Alerts];

    /// The name in paths and in the configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::Alerts => "alerts",
            Self::Audit => "audit",
            Self::Detections => "detections",
            Self::Cases => "cases",
            Self::Endpoints => "endpoints",
            Self::EndpointChanges => "endpoint_changes",
            Self::Health => "health",
            Self::Policies => "policies",
            Self::Exclusions => "exclusions",
            Self::Licenses => "licenses",
            Self::Firewalls => "firewalls",
            Self::Admins => "admins",
            Self::Isolations => "isolations",
        }
    }

    /// The manner in which it is read.
    pub const fn kind(self) -> DatasetKind {
        match self {
            Self::Events | Self::Alerts => DatasetKind::Feed,
            Self::Audit | Self::Detections | Self::Cases => DatasetKind::Log,
            Self::EndpointChanges => DatasetKind::Changes,
            Self::Isolations => DatasetKind::Ledger,
            _ => DatasetKind::Snapshot,
        }
    }

    /// Whether each tenant has a stream of it. Otherwise
    /// [`LedgerExporter`](crate::LedgerExporter) exports it.
    pub const fn is_per_tenant(self) -> bool {
        !matches!(self.kind(), DatasetKind::Ledger)
    }

    /// The path of the main operation, which is the source in rows.
    pub(crate) const fn source(self) -> &'static str {
        match self {
            Self::Events => "siem/v1/events",
            Self::Alerts => "siem/v1/alerts",
            Self::Audit => "audit/v1/audit-events",
            Self::Detections => "detections/v1/queries/detections",
            Self::Cases => "cases/v1/cases",
            Self::Endpoints | Self::EndpointChanges => "endpoint/v1/endpoints",
            Self::Health => "account-health-check/v1/health-check",
            Self::Policies => "endpoint/v1/policies",
            Self::Exclusions => "endpoint/v1/settings/exclusions",
            Self::Licenses => "licenses/v1/licenses",
            Self::Firewalls => "firewall/v1/firewalls",
            Self::Admins => "common/v1/admins",
            Self::Isolations => crate::ledger_entry::SOURCE,
        }
    }

    /// The minimum number of records in the deduplication window, since the feed repeats
    /// records hours later. Alerts are few, and a backfill must be compared with the feed
    /// of a whole day.
    pub(crate) const fn min_dedup_records(self) -> usize {
        match self {
            Self::Alerts => 20_000,
            // A case changes for months, and each of its rows needs the next revision.
            Self::Cases => MAX_RECORDS,
            _ => 2_000,
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
#[error("invalid dataset \"{0}\": expected {expected}", expected = Dataset::ALL.map(Dataset::name).join(", "))]
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
