//! Metrics, as log lines in CloudWatch's embedded metric format.

use std::{
    io::{self, Write},
    time::{SystemTime, UNIX_EPOCH},
};

use serde_json::{Map, Value, json};
use sophos_export::{Report, StreamReport};

use crate::config::Metrics;

/// One metric: its name, its unit in CloudWatch's words, its value.
type Metric = (&'static str, &'static str, f64);

/// Writes the metrics of a run: those of the whole, and those of each stream.
pub(crate) fn write(report: &Report, settings: &Metrics, request_id: &str) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as u64;
    let mut out = io::stdout().lock();
    for line in lines(report, settings, request_id, now) {
        // Without an output there is nobody to tell.
        let _ = writeln!(out, "{line}");
    }
}

fn lines(report: &Report, settings: &Metrics, request_id: &str, now: u64) -> impl Iterator<Item = Value> {
    let line = move |dimensions: &[(&str, &str)], metrics: &[Metric]| {
        let mut line: Map<String, Value> =
            dimensions.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
        line.extend(metrics.iter().map(|(name, _, value)| ((*name).to_owned(), json!(value))));
        let names: Vec<_> = dimensions.iter().map(|(name, _)| name).collect();
        let units: Vec<_> =
            metrics.iter().map(|(name, unit, _)| json!({ "Name": name, "Unit": unit })).collect();
        line.insert("request_id".into(), json!(request_id));
        line.insert(
            "_aws".into(),
            json!({
                "Timestamp": now,
                "CloudWatchMetrics": [
                    { "Namespace": settings.namespace, "Dimensions": [names], "Metrics": units },
                ],
            }),
        );
        Value::Object(line)
    };
    let whole = line(&[], &of_run(report));
    let streams = report.streams.iter().filter(|_| settings.per_tenant);
    let streams = streams.map(move |stream| {
        let dimensions = [("Tenant", stream.tenant.as_str()), ("Dataset", stream.dataset.name())];
        line(&dimensions, &of_stream(stream))
    });
    std::iter::once(whole).chain(streams)
}

fn of_run(report: &Report) -> Vec<Metric> {
    let mut metrics = vec![
        ("Tenants", "Count", report.tenants as f64),
        ("Rows", "Count", report.rows as f64),
        ("Bytes", "Bytes", report.bytes as f64),
        ("Calls", "Count", report.calls as f64),
        ("Throttles", "Count", report.throttled as f64),
        ("WaitedTime", "Milliseconds", report.waited_ms as f64),
        ("FailedStreams", "Count", report.failed as f64),
        ("UnfinishedStreams", "Count", report.unfinished as f64),
        ("UnusableTenants", "Count", report.unusable_tenants.len() as f64),
        ("GapSeconds", "Seconds", report.streams.iter().fold(0.0, |sum, stream| sum + stream.gap_seconds())),
    ];
    let oldest = report.streams.iter().filter_map(|stream| stream.freshness_seconds).reduce(f64::max);
    metrics.extend(oldest.map(|oldest| ("FreshnessSeconds", "Seconds", oldest)));
    metrics
}

fn of_stream(stream: &StreamReport) -> Vec<Metric> {
    let mut metrics = vec![
        ("Rows", "Count", stream.rows as f64),
        ("Bytes", "Bytes", stream.bytes as f64),
        ("Calls", "Count", stream.calls as f64),
        ("Throttles", "Count", stream.throttled as f64),
        ("GapSeconds", "Seconds", stream.gap_seconds()),
    ];
    // A stream that failed has no freshness: silence is what an alarm hears.
    metrics.extend(stream.freshness_seconds.map(|age| ("FreshnessSeconds", "Seconds", age)));
    metrics
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_holds_what_it_declares() {
        let settings = Metrics { namespace: "Space".into(), per_tenant: true };
        let lines: Vec<_> = lines(&Report::default(), &settings, "request", 7).collect();
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
