use serde::Serialize;

use crate::{checkpoint::Gap, dataset::Dataset, failure::FailureKind, tenant_inventory::RegionChange};

/// The result of one stream in one run.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct StreamReport {
    /// The tenant's id.
    pub tenant: String,
    /// The dataset.
    pub dataset: Dataset,
    /// The outcome.
    pub outcome: StreamOutcome,
    /// The error message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The kind of the error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_kind: Option<FailureKind>,
    /// The number of committed rows.
    pub rows: u64,
    /// The rows among these that were backfilled from the Common API.
    pub backfilled: u64,
    /// The rows among these that are revisions of earlier rows.
    pub revised: u64,
    /// The number of repeated records.
    pub duplicates: u64,
    /// The number of quarantined records, which are not JSON.
    pub quarantined: u64,
    /// The number of committed objects.
    pub objects: u64,
    /// The bytes of these objects.
    pub bytes: u64,
    /// The number of log records written.
    pub commits: u64,
    /// The number of announced commits, those of earlier runs included.
    pub announced: u64,
    /// The error of an announcement. The commit is valid; the next run announces it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub announcement_error: Option<String>,
    /// The number of deleted objects of runs that died.
    pub garbage_removed: u64,
    /// The intervals that the feed had dropped.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub gaps: Vec<Gap>,
    /// The age of the high watermark in seconds, of the last commit if this run failed.
    /// Of a snapshot, the time since it was due; 0 before. `None` for a stream that was
    /// never exported or whose log is unreadable.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub freshness_seconds: Option<f64>,
    /// Whether the feed has more that this run did not read.
    pub has_more: bool,
    /// The number of requests to the API.
    pub api_requests: u64,
    /// The responses with status 429 among them.
    pub throttled: u64,
    /// The move of the tenant to another data region, if the run detected one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub moved: Option<RegionChange>,
}

/// The outcome of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum StreamOutcome {
    /// Rows or a checkpoint were committed.
    Committed,
    /// The feed had nothing new, or no snapshot is due. With
    /// [`has_more`](StreamReport::has_more), a part of a snapshot was read, which the next
    /// run continues.
    UpToDate,
    /// Another run committed first; this one was rolled back.
    Superseded,
    /// The deadline passed before the run began.
    NotStarted,
    /// The run failed: see [`StreamReport::error`], and [`StreamReport::gaps`] for lost
    /// intervals. The next run reads the rest again.
    Failed,
}

impl StreamReport {
    /// A report with this outcome and no counts.
    pub fn new(tenant: &str, dataset: Dataset, outcome: StreamOutcome) -> Self {
        Self {
            tenant: tenant.to_owned(),
            dataset,
            outcome,
            error: None,
            error_kind: None,
            rows: 0,
            backfilled: 0,
            revised: 0,
            duplicates: 0,
            quarantined: 0,
            objects: 0,
            bytes: 0,
            commits: 0,
            announced: 0,
            announcement_error: None,
            garbage_removed: 0,
            gaps: Vec::new(),
            freshness_seconds: None,
            has_more: false,
            api_requests: 0,
            throttled: 0,
            moved: None,
        }
    }

    /// Whether the failure may be due to a move of the tenant to another data region.
    pub(crate) fn may_be_wrong_region(&self) -> bool {
        self.error_kind.is_some_and(FailureKind::may_be_wrong_region)
    }

    pub(crate) fn set_error(&mut self, error: &crate::Error) {
        self.outcome = StreamOutcome::Failed;
        self.error_kind = Some(error.kind());
        self.error = Some(error.to_string());
    }

    /// The length of all gaps in seconds.
    pub fn gap_seconds(&self) -> f64 {
        self.gaps.iter().fold(0.0, |sum, gap| sum + gap.seconds())
    }
}

/// The result of all streams of one run.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ExportReport {
    /// The number of tenants.
    pub tenants: u64,
    /// The number of committed rows.
    pub rows: u64,
    /// The number of committed objects.
    pub objects: u64,
    /// The bytes of these objects.
    pub bytes: u64,
    /// The number of requests to the API.
    pub api_requests: u64,
    /// The number of token requests.
    pub token_requests: u64,
    /// The number of responses with status 429.
    pub throttled: u64,
    /// The time spent waiting for the rate limit or before retries, in milliseconds.
    pub rate_limit_wait_ms: u64,
    /// The number of failed streams.
    pub failed: u64,
    /// The number of streams that the deadline left unfinished or not started. The next
    /// run continues them.
    pub unfinished: u64,
    /// The tenants whose records are invalid or have no valid host, each with the reason.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub skipped_tenants: Vec<String>,
    /// The unusable credentials, each with the reason.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unusable_credentials: Vec<String>,
    /// The streams.
    pub streams: Vec<StreamReport>,
}

impl ExportReport {
    /// Adds the report of another credential.
    pub fn merge(&mut self, other: Self) {
        self.tenants += other.tenants;
        self.api_requests += other.api_requests;
        self.token_requests += other.token_requests;
        self.throttled += other.throttled;
        self.rate_limit_wait_ms += other.rate_limit_wait_ms;
        self.skipped_tenants.extend(other.skipped_tenants);
        self.unusable_credentials.extend(other.unusable_credentials);
        other.streams.into_iter().for_each(|stream| self.add(stream));
    }

    /// Adds the report of a stream.
    pub fn add(&mut self, stream: StreamReport) {
        self.rows += stream.rows;
        self.objects += stream.objects;
        self.bytes += stream.bytes;
        self.failed += u64::from(stream.outcome == StreamOutcome::Failed);
        self.unfinished += u64::from(stream.has_more || stream.outcome == StreamOutcome::NotStarted);
        self.streams.push(stream);
    }
}
