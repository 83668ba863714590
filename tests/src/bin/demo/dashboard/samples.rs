//! The metrics of the functions, at simulated times.

use std::{collections::BTreeMap, time::Duration};

use serde_json::Value;

/// The id of the webhook's API.
pub(super) const API_ID: &str = "webhook";

/// A value of a metric at a time.
#[derive(Debug, Clone)]
pub(super) struct Sample {
    pub(super) namespace: String,
    pub(super) metric: String,
    /// The dimensions by name.
    pub(super) dimensions: BTreeMap<String, String>,
    pub(super) at_ms: i64,
    pub(super) value: f64,
}

/// All samples of the picture.
#[derive(Debug, Default)]
pub(super) struct Samples(pub(super) Vec<Sample>);

impl Samples {
    fn add(&mut self, namespace: &str, metric: &str, dimension: (&str, &str), at_ms: i64, value: f64) {
        self.0.push(Sample {
            namespace: namespace.into(),
            metric: metric.into(),
            dimensions: BTreeMap::from([(dimension.0.into(), dimension.1.into())]),
            at_ms,
            value,
        });
    }

    /// Adds what Lambda itself counts of a successful invocation.
    pub(super) fn add_invocation(&mut self, function: &str, at_ms: i64, duration: Duration) {
        let dimension = ("FunctionName", function);
        self.add("AWS/Lambda", "Duration", dimension, at_ms, duration.as_secs_f64() * 1e3);
        self.add("AWS/Lambda", "Errors", dimension, at_ms, 0.0);
        self.add("AWS/Lambda", "ConcurrentExecutions", dimension, at_ms, 1.0);
    }

    /// Adds what API Gateway counts of a request.
    pub(super) fn add_response(&mut self, at_ms: i64, status: u16) {
        for (metric, counts) in
            [("Count", true), ("4xx", (400..500).contains(&status)), ("5xx", status >= 500)]
        {
            self.add("AWS/ApiGateway", metric, ("ApiId", API_ID), at_ms, f64::from(u8::from(counts)));
        }
    }

    /// Adds the metrics of a line in the embedded metric format; other lines have none.
    fn add_line(&mut self, line: &str, at_ms: i64) {
        let Ok(record) = serde_json::from_str::<Value>(line) else { return };
        let sets = record["_aws"]["CloudWatchMetrics"].as_array().map(Vec::as_slice).unwrap_or_default();
        for set in sets {
            let namespace = set["Namespace"].as_str().unwrap_or_default();
            for names in set["Dimensions"].as_array().into_iter().flatten() {
                let dimensions: BTreeMap<String, String> = names
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter_map(Value::as_str)
                    .filter_map(|name| Some((name.to_owned(), record[name].as_str()?.to_owned())))
                    .collect();
                for metric in set["Metrics"].as_array().into_iter().flatten() {
                    let name = metric["Name"].as_str().unwrap_or_default();
                    if let Some(value) = record[name].as_f64() {
                        let (namespace, metric) = (namespace.to_owned(), name.to_owned());
                        let dimensions = dimensions.clone();
                        self.0.push(Sample { namespace, metric, dimensions, at_ms, value });
                    }
                }
            }
        }
    }
}

/// The number of lines of a function's output that are read.
#[derive(Debug, Default)]
pub(super) struct LinesRead(usize);

impl LinesRead {
    /// Adds the metrics of the new lines at this time.
    pub(super) fn read(&mut self, lines: &[String], at_ms: i64, samples: &mut Samples) {
        lines.iter().skip(self.0).for_each(|line| samples.add_line(line, at_ms));
        self.0 = lines.len();
    }
}
