//! Log records.

use std::{env, fmt::Display, process::ExitCode};

use tracing::{Metadata, Subscriber, level_filters::LevelFilter};
use tracing_subscriber::{
    filter::{Targets, filter_fn},
    fmt::MakeWriter,
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

use crate::ConfigReader;

/// The variable that sets the level of a function's own records: `error`,
/// `warn`, `info` (also if it is not set), `debug`, `trace`.
pub const LEVEL_VARIABLE: &str = "LOG_LEVEL";

/// Notes if the level cannot be read. [`init`] takes `info` then, so that the
/// mistake is logged.
pub fn validate_level(reader: &mut ConfigReader<'_>) {
    let _ = reader.value::<LevelFilter>(LEVEL_VARIABLE);
}

/// Writes records as JSON, one a line, each with the request's id. Those of
/// other targets than these, the function's own, are written from `warn` on:
/// libraries log requests in full below. What the runtime logs of a failure that
/// [`serve`](crate::serve) has logged already is left out.
pub fn init(targets: &[&str]) {
    let level = env::var(LEVEL_VARIABLE)
        .ok()
        .and_then(|level| level.trim().parse().ok())
        .unwrap_or(LevelFilter::INFO);
    subscriber(targets, level, std::io::stdout).init();
}

fn subscriber<W>(targets: &[&str], level: LevelFilter, writer: W) -> impl Subscriber + Send + Sync
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let targets = Targets::new()
        .with_default(level.min(LevelFilter::WARN))
        // The span of an invocation is this crate's.
        .with_target(env!("CARGO_CRATE_NAME"), level)
        .with_targets(targets.iter().map(|target| (*target, level)));
    let records = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(false)
        .with_target(false)
        .with_writer(writer);
    tracing_subscriber::registry().with(targets).with(filter_fn(is_not_runtime_dump)).with(records)
}

/// Whether this is no failure of an invocation as the runtime logs it: the `Debug` text
/// alone, without the request's id. Its record of a panic has a field besides.
fn is_not_runtime_dump(record: &Metadata<'_>) -> bool {
    record.target() != "lambda_runtime::layers::panic" || record.fields().field("error").is_some()
}

/// What a function's process ends with. It serves until it is stopped: that it
/// comes back with an error means that it could not start, which is logged.
pub fn exit_code(result: Result<(), impl Display>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(event = "init_failed", %error, "initialization failed");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::{self, Write},
        sync::{Arc, Mutex},
    };

    use super::*;

    #[derive(Clone, Default)]
    struct LogBuffer(Arc<Mutex<Vec<u8>>>);

    impl Write for LogBuffer {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("no panic").write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn log_contains_each_failure_once() {
        const RUNTIME: &str = "lambda_runtime::layers::panic";
        let records = LogBuffer::default();
        let writer = records.clone();
        let subscriber = subscriber(&[], LevelFilter::INFO, move || writer.clone());
        tracing::subscriber::with_default(subscriber, || {
            tracing::error!(target: RUNTIME, "{:?}", crate::InvocationError::new("Kind", "why"));
            tracing::error!(target: RUNTIME, error = "why", "user handler panicked");
            tracing::error!(error_kind = "Kind", "the invocation failed");
        });
        let written = String::from_utf8(records.0.lock().expect("no panic").clone()).expect("text");
        let told: Vec<serde_json::Value> =
            written.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        let messages: Vec<_> = told.iter().filter_map(|record| record["message"].as_str()).collect();
        assert_eq!(messages, ["user handler panicked", "the invocation failed"]);
    }
}
