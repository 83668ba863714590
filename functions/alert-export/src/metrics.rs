//! The metrics of runs and plans.

use lambda_support::metrics::{self, Metric};
use serde_json::Value;
use sophos_api::ErrorKind;
use sophos_export::{DatasetKind, ExportReport, FailureKind, StreamReport};

use crate::{config::MetricsSettings, plan::PlanReport};

/// Writes the metrics of a run and of each stream.
pub(crate) fn write_run(report: &ExportReport, settings: &MetricsSettings, request_id: &str) {
    metrics::write(lines(report, settings, request_id, metrics::now_ms()));
}

/// Writes the metrics of a plan.
pub(crate) fn write_plan(report: &PlanReport, settings: &MetricsSettings, request_id: &str) {
    let changes = || report.credentials.iter().map(|credential| &credential.changes);
    let count = |number: usize| number as f64;
    let metrics = [
        ("PlannedMessages", "Count", report.planned as f64),
        ("PendingMessages", "Count", report.pending_messages as f64),
        ("DeferredPlans", "Count", f64::from(u8::from(report.deferred_reason.is_some()))),
        ("PlannedTenants", "Count", report.tenants as f64),
        ("AddedTenants", "Count", count(changes().map(|changes| changes.added.len()).sum())),
        ("RemovedTenants", "Count", count(changes().map(|changes| changes.removed.len()).sum())),
        ("MovedTenants", "Count", count(changes().map(|changes| changes.moved.len()).sum())),
        ("SkippedTenants", "Count", count(report.skipped_tenants.len())),
        ("UnusableCredentials", "Count", count(report.unusable_credentials.len())),
    ];
    metrics::write([metrics::emf_record(&settings.namespace, request_id, metrics::now_ms(), &[], &metrics)]);
}

fn lines(
    report: &ExportReport,
    settings: &MetricsSettings,
    request_id: &str,
    now: u64,
) -> impl Iterator<Item = Value> {
    let line = move |dimensions: &[(&str, &str)], metrics: &[Metric]| {
        metrics::emf_record(&settings.namespace, request_id, now, dimensions, metrics)
    };
    let mut totals = run_metrics(report);
    if settings.announces {
        totals.extend(announcement_metrics(report));
    }
    let whole = line(&[], &totals);
    let streams = report.streams.iter().filter(|_| settings.per_tenant);
    let streams = streams.map(move |stream| {
        let dimensions = [("Tenant", stream.tenant.as_str()), ("Dataset", stream.dataset.name())];
        line(&dimensions, &stream_metrics(stream))
    });
    std::iter::once(whole).chain(streams)
}

/// Whether a tenant never had access to a dataset that depends on its licences. This is
/// its state and no failure of the export.
fn is_without_access(stream: &StreamReport) -> bool {
    const FORBIDDEN: FailureKind = FailureKind::Service(ErrorKind::Forbidden);
    stream.dataset.kind() != DatasetKind::Feed
        && stream.error_kind == Some(FORBIDDEN)
        && stream.freshness_seconds.is_none()
}

fn run_metrics(report: &ExportReport) -> Vec<Metric> {
    let without_access = report.streams.iter().filter(|stream| is_without_access(stream)).count() as u64;
    let mut metrics = vec![
        ("Tenants", "Count", report.tenants as f64),
        ("Rows", "Count", report.rows as f64),
        ("Bytes", "Bytes", report.bytes as f64),
        ("ApiRequests", "Count", report.api_requests as f64),
        ("Throttles", "Count", report.throttled as f64),
        ("RateLimitWaitTime", "Milliseconds", report.rate_limit_wait_ms as f64),
        ("FailedStreams", "Count", report.failed.saturating_sub(without_access) as f64),
        ("StreamsWithoutAccess", "Count", without_access as f64),
        ("UnfinishedStreams", "Count", report.unfinished as f64),
        ("SkippedTenants", "Count", report.skipped_tenants.len() as f64),
        ("UnusableCredentials", "Count", report.unusable_credentials.len() as f64),
        ("GapSeconds", "Seconds", report.streams.iter().fold(0.0, |sum, stream| sum + stream.gap_seconds())),
    ];
    let quarantined: u64 = report.streams.iter().map(|stream| stream.quarantined).sum();
    let revised: u64 = report.streams.iter().map(|stream| stream.revised).sum();
    metrics.push(("QuarantinedRecords", "Count", quarantined as f64));
    metrics.push(("RevisedRecords", "Count", revised as f64));
    let oldest = report.streams.iter().filter_map(|stream| stream.freshness_seconds).reduce(f64::max);
    metrics.extend(oldest.map(|oldest| ("FreshnessSeconds", "Seconds", oldest)));
    metrics
}

fn announcement_metrics(report: &ExportReport) -> [Metric; 2] {
    let announced: u64 = report.streams.iter().map(|stream| stream.announced).sum();
    let failed = report.streams.iter().filter(|stream| stream.announcement_error.is_some()).count();
    [("AnnouncedCommits", "Count", announced as f64), ("FailedAnnouncements", "Count", failed as f64)]
}

fn stream_metrics(stream: &StreamReport) -> Vec<Metric> {
    let mut metrics = vec![
        ("Rows", "Count", stream.rows as f64),
        ("Bytes", "Bytes", stream.bytes as f64),
        ("ApiRequests", "Count", stream.api_requests as f64),
        ("Throttles", "Count", stream.throttled as f64),
        ("GapSeconds", "Seconds", stream.gap_seconds()),
        ("QuarantinedRecords", "Count", stream.quarantined as f64),
        ("RevisedRecords", "Count", stream.revised as f64),
    ];
    // The age of a failing stream grows. A stream that was never exported has no metric,
    // which an alarm on missing data detects.
    metrics.extend(stream.freshness_seconds.map(|age| ("FreshnessSeconds", "Seconds", age)));
    metrics
}

#[cfg(test)]
mod tests {
    use sophos_export::{Dataset, StreamOutcome};

    use super::*;

    #[test]
    fn failed_streams_exclude_those_without_access() {
        let mut report = ExportReport::default();
        for (dataset, freshness) in
            [(Dataset::Detections, None), (Dataset::Detections, Some(7.0)), (Dataset::Events, None)]
        {
            let mut stream = StreamReport::new("a", dataset, StreamOutcome::Failed);
            stream.error_kind = Some(FailureKind::Service(ErrorKind::Forbidden));
            stream.freshness_seconds = freshness;
            report.add(stream);
        }
        let metrics = run_metrics(&report);
        let value = |name| metrics.iter().find(|metric| metric.0 == name).map(|metric| metric.2);
        assert_eq!((value("FailedStreams"), value("StreamsWithoutAccess")), (Some(2.0), Some(1.0)));
    }

    #[test]
    fn metrics_count_announcements_if_there_are_any() {
        let mut report = ExportReport::default();
        for error in [None, Some("the bus is unavailable".to_owned())] {
            let mut stream = StreamReport::new("ab", Dataset::Events, StreamOutcome::Committed);
            (stream.announced, stream.announcement_error) = (2, error);
            report.add(stream);
        }
        for (announces, expected) in [(true, [Some(4.0), Some(1.0)]), (false, [None, None])] {
            let settings = MetricsSettings { namespace: "Space".into(), per_tenant: false, announces };
            let lines: Vec<_> = lines(&report, &settings, "request", 7).collect();
            let values = ["AnnouncedCommits", "FailedAnnouncements"].map(|name| lines[0][name].as_f64());
            assert_eq!(values, expected);
        }
    }

    #[test]
    fn metrics_line_contains_each_declared_metric() {
        let settings = MetricsSettings { namespace: "Space".into(), per_tenant: true, announces: true };
        let lines: Vec<_> = lines(&ExportReport::default(), &settings, "request", 7).collect();
        assert_eq!(lines.len(), 1, "a run without streams");
        for line in &lines {
            assert_eq!(line["request_id"], "request");
            assert_eq!(line["_aws"]["Timestamp"], 7);
            let directive = &line["_aws"]["CloudWatchMetrics"][0];
            assert_eq!(directive["Namespace"], "Space");
            let declared = directive["Metrics"].as_array().expect("metrics");
            assert!(declared.len() > 5, "{line}");
            for metric in declared {
                let value = line[metric["Name"].as_str().expect("a name")].as_f64().expect("a number");
                assert!(value.is_sign_positive(), "{metric}: {value}");
            }
        }
    }
}
