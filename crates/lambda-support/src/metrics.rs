//! Metrics, as log lines in CloudWatch's embedded metric format.

use std::io::{self, Write};

use serde_json::{Map, Value, json};

use crate::clock::since_epoch;

/// A metric: its name, its CloudWatch unit and its value.
pub type Metric = (&'static str, &'static str, f64);

/// A line with metrics. Each dimension is a name and a value; `now_ms` is in
/// milliseconds since the Unix epoch.
pub fn emf_record(
    namespace: &str,
    request_id: &str,
    now_ms: u64,
    dimensions: &[(&str, &str)],
    metrics: &[Metric],
) -> Value {
    let mut line: Map<String, Value> =
        dimensions.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
    line.extend(metrics.iter().map(|(name, _, value)| ((*name).to_owned(), json!(value))));
    let names: Vec<_> = dimensions.iter().map(|(name, _)| name).collect();
    let units: Vec<_> = metrics.iter().map(|(name, unit, _)| json!({ "Name": name, "Unit": unit })).collect();
    line.insert("request_id".into(), json!(request_id));
    line.insert(
        "_aws".into(),
        json!({
            "Timestamp": now_ms,
            "CloudWatchMetrics": [
                { "Namespace": namespace, "Dimensions": [names], "Metrics": units },
            ],
        }),
    );
    Value::Object(line)
}

/// The current time in milliseconds since the Unix epoch.
pub fn now_ms() -> u64 {
    since_epoch().as_millis() as u64
}

/// Writes lines to standard output, where Lambda collects them.
pub fn write(lines: impl IntoIterator<Item = Value>) {
    let mut out = io::stdout().lock();
    for line in lines {
        // A closed output cannot be reported anywhere.
        let _ = writeln!(out, "{line}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn emf_record_declares_its_metrics() {
        let line = emf_record(
            "Space",
            "request",
            7,
            &[("Source", "pagerduty"), ("Tenant", "t")],
            &[("Signals", "Count", 2.0), ("Latency", "Milliseconds", 0.5)],
        );
        assert_eq!(
            line,
            json!({
                "Source": "pagerduty",
                "Tenant": "t",
                "Signals": 2.0,
                "Latency": 0.5,
                "request_id": "request",
                "_aws": {
                    "Timestamp": 7,
                    "CloudWatchMetrics": [{
                        "Namespace": "Space",
                        "Dimensions": [["Source", "Tenant"]],
                        "Metrics": [
                            { "Name": "Signals", "Unit": "Count" },
                            { "Name": "Latency", "Unit": "Milliseconds" },
                        ],
                    }],
                },
            })
        );
    }
}
