//! The readers of logs, and the pages that they return.

use sophos_api::{ErrorKind, MalformedItem, Raw, TenantClient, Transport};

use crate::{
    audit_log, case_log,
    content_digest::ContentHash,
    detection_log,
    encode::to_rfc3339_millis,
    fusion_log,
    log_key::{KeyMembers, log_record_key},
    log_progress::{LogRange, LogTiming},
    record_key::RecordKey,
};

const MINUTE_MS: i64 = 60 * 1_000;
const DAY_MS: i64 = 24 * 60 * MINUTE_MS;

/// The age up to which the service keeps audit events and detections, with a margin for
/// requests near its end.
const RETENTION_MS: i64 = 90 * DAY_MS - 5 * MINUTE_MS;

/// The longest range of one read. A rejected page key costs the reread of one range.
const MAX_RANGE_MS: i64 = 7 * DAY_MS;

/// The overlap of detections. Their time is the sensor's, which may report hours later.
const DETECTION_OVERLAP_MS: i64 = DAY_MS;

/// The page sizes, largest first. Each divides the one before, so an offset stays the
/// start of a page when pages become smaller.
const PAGE_SIZES: [u32; 5] = [100, 50, 25, 5, 1];

/// The reader of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogReader {
    /// The audit log.
    AuditEvents,
    /// The detections of Sophos Central, by queries.
    CentralDetections,
    /// The cases of Sophos Central, by listing all of them.
    CentralCases,
    /// The detections of Sophos Fusion.
    FusionDetections,
    /// The cases of Sophos Fusion, by the time of their last change.
    FusionCases,
}

/// A page of a log.
#[derive(Debug, Default)]
pub(crate) struct LogPage {
    /// The records, as JSON.
    pub(crate) records: Vec<String>,
    /// The records that are not JSON.
    pub(crate) malformed: Vec<MalformedItem>,
    /// The key of the next page; `None` at the end of the range.
    pub(crate) next_key: Option<String>,
}

impl LogPage {
    pub(crate) fn new<I>(items: &[Raw<I>], malformed: Vec<MalformedItem>, next_key: Option<String>) -> Self {
        let records = items.iter().map(|item| item.json().to_owned()).collect();
        Self { records, malformed, next_key }
    }
}

impl LogReader {
    /// The source in rows.
    pub(crate) const fn source(self) -> &'static str {
        match self {
            Self::AuditEvents => "audit/v1/audit-events",
            Self::CentralDetections => "detections/v1/queries/detections",
            Self::CentralCases => "cases/v1/cases",
            Self::FusionDetections => "fusion/detections",
            Self::FusionCases => "fusion/cases",
        }
    }

    /// Whether each read lists everything that the service has.
    pub(crate) const fn is_listing(self) -> bool {
        matches!(self, Self::CentralCases)
    }

    /// Whether records change for as long as they exist.
    pub(crate) const fn is_case(self) -> bool {
        matches!(self, Self::CentralCases | Self::FusionCases)
    }

    /// Whether a read returns records from before its range.
    pub(crate) const fn exceeds_range(self) -> bool {
        matches!(self, Self::FusionDetections)
    }

    pub(crate) fn timing(self, overlap_ms: i64) -> LogTiming {
        let kept = LogTiming { retention_ms: Some(RETENTION_MS), max_range_ms: None, overlap_ms };
        let detections = LogTiming { overlap_ms: overlap_ms.max(DETECTION_OVERLAP_MS), ..kept };
        match self {
            Self::AuditEvents => LogTiming { max_range_ms: Some(MAX_RANGE_MS), ..kept },
            Self::CentralDetections => LogTiming { max_range_ms: Some(MAX_RANGE_MS), ..detections },
            Self::FusionDetections => detections,
            Self::CentralCases | Self::FusionCases => LogTiming { retention_ms: None, ..kept },
        }
    }

    /// Requests the page of this key, or the first one.
    pub(crate) async fn fetch<T: Transport>(
        self,
        client: &TenantClient<T>,
        range: LogRange,
        key: Option<&str>,
    ) -> Result<LogPage, sophos_api::Error> {
        match self {
            Self::AuditEvents => audit_log::fetch(client, range, key).await,
            Self::CentralDetections => detection_log::fetch(client, range, key).await,
            Self::CentralCases => case_log::fetch(client, key).await,
            Self::FusionDetections => fusion_log::fetch_detections(client, range, key).await,
            Self::FusionCases => fusion_log::fetch_cases(client, range, key).await,
        }
    }

    /// The id, the times and the content digest of a record.
    pub(crate) fn record_key(self, json: &str, hash: ContentHash) -> RecordKey<'_> {
        match self {
            Self::AuditEvents => log_record_key(json, &KeyMembers::AUDIT_EVENT, hash),
            Self::CentralDetections => log_record_key(json, &KeyMembers::DETECTION, hash),
            Self::CentralCases | Self::FusionCases => log_record_key(json, &KeyMembers::CASE, hash),
            Self::FusionDetections => fusion_log::detection_key(json, hash),
        }
    }
}

/// Whether the service rejects the page key of an earlier run, or has dropped the result
/// that it belongs to. The range can be read from its start.
pub(crate) fn is_key_rejected(error: &sophos_api::Error) -> bool {
    match error.kind() {
        ErrorKind::Invalid | ErrorKind::Malformed => error.status().is_some(),
        ErrorKind::NotFound
        | ErrorKind::Conflict
        | ErrorKind::Graphql
        | ErrorKind::JobFailed
        | ErrorKind::JobExpired => true,
        _ => false,
    }
}

/// The largest page size for a page that starts at this offset.
pub(crate) fn page_size_at(offset: u64) -> u32 {
    PAGE_SIZES.into_iter().find(|size| offset.is_multiple_of((*size).into())).unwrap_or(1)
}

/// The next smaller page size after a response that is too large; `None` after another
/// error, or if no page is smaller.
pub(crate) fn smaller_page(tenant_id: &str, error: &sophos_api::Error, size: u32) -> Option<u32> {
    if error.kind() != ErrorKind::TooLarge {
        return None;
    }
    let smaller = PAGE_SIZES.into_iter().find(|smaller| *smaller < size)?;
    tracing::warn!(event = "page_limit_reduced", tenant_id, limit = smaller, %error, "a page is too large; retrying with a smaller limit");
    Some(smaller)
}

/// A time as the service writes it.
pub(crate) fn service_time(ms: i64) -> String {
    to_rfc3339_millis(jiff::Timestamp::from_millisecond(ms).unwrap_or_default())
}

/// The offset in a page key. A key that another release wrote starts the range again.
pub(crate) fn parse_offset(key: Option<&str>) -> u64 {
    key.and_then(|key| key.parse().ok()).unwrap_or(0)
}
