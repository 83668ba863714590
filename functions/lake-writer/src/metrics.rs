//! The metrics of a run.

use lambda_support::metrics::{self, Metric};
use serde_json::Value;
use sophos_lake::LakeReport;

/// Writes the metrics of a run, and the rows of each class.
pub(crate) fn write(report: &LakeReport, namespace: &str, request_id: &str) {
    metrics::write(lines(report, namespace, request_id, metrics::now_ms()));
}

fn lines(report: &LakeReport, namespace: &str, request_id: &str, now: u64) -> impl Iterator<Item = Value> {
    let line = move |dimensions: &[(&str, &str)], values: &[Metric]| {
        metrics::emf_record(namespace, request_id, now, dimensions, values)
    };
    let whole = line(&[], &run_metrics(report));
    let classes = report.total.rows.iter();
    let classes =
        classes.map(move |(class, rows)| line(&[("Class", class)], &[("LakeRows", "Count", *rows as f64)]));
    std::iter::once(whole).chain(classes)
}

fn run_metrics(report: &LakeReport) -> Vec<Metric> {
    let total = &report.total;
    vec![
        ("LakeBatches", "Count", report.batches as f64),
        ("LakeRows", "Count", total.rows.values().sum::<u64>() as f64),
        ("LakeObjects", "Count", total.objects as f64),
        ("LakeUnknownTypes", "Count", total.unknown_types.values().sum::<u64>() as f64),
        ("LakeInvalidRows", "Count", total.invalid as f64),
        ("LakeUnreadableObjects", "Count", total.unreadable_objects.len() as f64),
        ("UnfinishedLakeRuns", "Count", f64::from(u8::from(report.unfinished))),
        ("LakeLagSeconds", "Seconds", report.lag_seconds),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_have_a_line_for_each_class() {
        let mut report = LakeReport::default();
        report.total.rows = [("2004".to_owned(), 3), ("5001".to_owned(), 4)].into();
        report.total.unknown_types = [("Event::New".to_owned(), 2)].into();
        let lines: Vec<_> = lines(&report, "Space", "request", 7).collect();
        let values: Vec<_> =
            lines.iter().map(|line| (line["Class"].as_str(), line["LakeRows"].as_f64())).collect();
        assert_eq!(values, [(None, Some(7.0)), (Some("2004"), Some(3.0)), (Some("5001"), Some(4.0))]);
        assert_eq!(lines[0]["LakeUnknownTypes"], 2.0);
    }
}
