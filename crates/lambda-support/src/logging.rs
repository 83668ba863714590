//! Log records.

use std::env;

use tracing::{Subscriber, level_filters::LevelFilter};
use tracing_subscriber::{filter::Targets, fmt::MakeWriter, layer::SubscriberExt, util::SubscriberInitExt};

use crate::ConfigReader;

/// The variable with the level of a function's own records: `error`, `warn`,
/// `info` (the default), `debug` or `trace`.
pub const LEVEL_VARIABLE: &str = "LOG_LEVEL";

/// The target of the runtime's own record of a failed invocation: a `Debug` text
/// without the request's id. The record of [`run`](crate::run) replaces it.
const RUNTIME_FAILURES: &str = "lambda_runtime::layers::panic";

/// Notes an issue if the level is invalid. Logging falls back to `info`, so that
/// the issue is logged.
pub fn validate_level(reader: &mut ConfigReader<'_>) {
    let _ = reader.value::<LevelFilter>(LEVEL_VARIABLE);
}

/// Writes records as JSON, one a line, each with the request's id. Records of
/// other targets are written from `warn` on: below that, libraries log whole
/// requests.
pub(crate) fn init(targets: &[&str]) {
    let level = env::var(LEVEL_VARIABLE)
        .ok()
        .and_then(|level| level.trim().parse().ok())
        .unwrap_or(LevelFilter::INFO);
    subscriber(targets, level, std::io::stdout).init();
}

pub(crate) fn subscriber<W>(
    targets: &[&str],
    level: LevelFilter,
    writer: W,
) -> impl Subscriber + Send + Sync + use<W>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let targets = Targets::new()
        .with_default(level.min(LevelFilter::WARN))
        // The span of an invocation is this crate's.
        .with_target(env!("CARGO_CRATE_NAME"), level)
        .with_targets(targets.iter().map(|target| (*target, level)))
        .with_target(RUNTIME_FAILURES, LevelFilter::OFF);
    let records = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(false)
        .with_target(false)
        .with_writer(writer);
    tracing_subscriber::registry().with(targets).with(records)
}

#[cfg(test)]
pub(crate) mod tests {
    use std::{
        io::{self, Write},
        sync::{Arc, Mutex},
    };

    use super::*;

    /// A writer that keeps the log.
    #[derive(Clone, Default)]
    pub(crate) struct LogBuffer(Arc<Mutex<Vec<u8>>>);

    impl LogBuffer {
        /// The records so far.
        pub(crate) fn records(&self) -> Vec<serde_json::Value> {
            let written = self.0.lock().expect("no panic");
            let lines = written.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
            lines.map(|line| serde_json::from_slice(line).expect("JSON")).collect()
        }
    }

    impl Write for LogBuffer {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("no panic").write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn subscriber_filters_records_by_target() {
        let records = LogBuffer::default();
        let writer = records.clone();
        let subscriber = subscriber(&["own"], LevelFilter::DEBUG, move || writer.clone());
        tracing::subscriber::with_default(subscriber, || {
            tracing::debug!(target: "own", "own debug");
            tracing::info!(target: "hyper", "library info");
            tracing::warn!(target: "hyper", "library warn");
            tracing::error!(target: RUNTIME_FAILURES, error = "Any { .. }", "user handler panicked");
        });
        let records = records.records();
        let messages: Vec<_> = records.iter().filter_map(|record| record["message"].as_str()).collect();
        assert_eq!(messages, ["own debug", "library warn"]);
    }
}
