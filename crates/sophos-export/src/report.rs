use serde::Serialize;

use crate::{checkpoint::Gap, dataset::Dataset, failure::FailureKind, tenant_inventory::RegionChange};

/// What became of one stream in one run.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct StreamReport {
    /// The tenant's id.
    pub tenant: String,
    /// The dataset.
    pub dataset: Dataset,
    /// What became of it.
    pub outcome: StreamOutcome,
    /// What went wrong, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The kind of what went wrong, for programs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_kind: Option<FailureKind>,
    /// Rows committed.
    pub rows: u64,
    /// Rows of these that were read from the Common API to fill a gap.
    pub backfilled: u64,
    /// Rows whose id was written before, with other content.
    pub revised: u64,
    /// Records that the service sent again.
    pub duplicates: u64,
    /// Records that are not JSON, which are kept in quarantine.
    pub quarantined: u64,
    /// Objects committed.
    pub objects: u64,
    /// Bytes of these.
    pub bytes: u64,
    /// Log records written.
    pub commits: u64,
    /// Objects of dead runs removed.
    pub garbage_removed: u64,
    /// What the feed had dropped.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub gaps: Vec<Gap>,
    /// How old the newest moment is up to which all was read, in seconds: by
    /// this run, or by one before if this one failed. `None` for a stream that
    /// was never exported, or of which the log could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub freshness_seconds: Option<f64>,
    /// Whether the feed has more that this run had no time for.
    pub has_more: bool,
    /// Requests to the API.
    pub api_requests: u64,
    /// Answers 429 among them.
    pub throttled: u64,
    /// Where the tenant was found, when it was not where it was said to be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub moved: Option<RegionChange>,
}

/// What became of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum StreamOutcome {
    /// Something was committed.
    Committed,
    /// There was nothing new.
    UpToDate,
    /// Another run committed first; what this one wrote was taken back.
    Superseded,
    /// The time was up before it began.
    NotStarted,
    /// It failed; [`StreamReport::error`] says why, and [`StreamReport::gaps`] what is
    /// lost. The rest is read again.
    Failed,
}

impl StreamReport {
    /// The report of a stream of which nothing else is known.
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
            garbage_removed: 0,
            gaps: Vec::new(),
            freshness_seconds: None,
            has_more: false,
            api_requests: 0,
            throttled: 0,
            moved: None,
        }
    }

    /// Whether it failed as it would if the tenant were in another data region.
    pub(crate) fn may_be_wrong_region(&self) -> bool {
        self.error_kind.is_some_and(FailureKind::may_be_wrong_region)
    }

    pub(crate) fn set_error(&mut self, error: &crate::Error) {
        self.outcome = StreamOutcome::Failed;
        self.error_kind = Some(error.kind());
        self.error = Some(error.to_string());
    }

    /// Seconds that the feed had dropped.
    pub fn gap_seconds(&self) -> f64 {
        self.gaps.iter().fold(0.0, |sum, gap| sum + gap.seconds())
    }
}

/// What became of all streams of a credential in one run.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ExportReport {
    /// Tenants that the run was about.
    pub tenants: u64,
    /// Rows committed.
    pub rows: u64,
    /// Objects committed.
    pub objects: u64,
    /// Bytes of these.
    pub bytes: u64,
    /// Requests to the API.
    pub api_requests: u64,
    /// Requests for a token.
    pub token_requests: u64,
    /// Answers 429.
    pub throttled: u64,
    /// Milliseconds spent waiting for the rate budget or before a repetition.
    pub rate_limit_wait_ms: u64,
    /// Streams that failed.
    pub failed: u64,
    /// Streams that the time did not suffice for, wholly or in part. The next
    /// run goes on with them.
    pub unfinished: u64,
    /// Tenants whose records could not be read, or lead to no host.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub skipped_tenants: Vec<String>,
    /// Credentials that could not be worked with, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unusable_credentials: Vec<String>,
    /// Each stream.
    pub streams: Vec<StreamReport>,
}

impl ExportReport {
    /// Adds what became of another credential's streams.
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

    /// Adds what became of a stream.
    pub fn add(&mut self, stream: StreamReport) {
        self.rows += stream.rows;
        self.objects += stream.objects;
        self.bytes += stream.bytes;
        self.failed += u64::from(stream.outcome == StreamOutcome::Failed);
        self.unfinished += u64::from(stream.has_more || stream.outcome == StreamOutcome::NotStarted);
        self.streams.push(stream);
    }
}
