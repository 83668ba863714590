//! Log records.

use std::{env, fmt::Display, process::ExitCode};

use tracing::level_filters::LevelFilter;
use tracing_subscriber::{filter::Targets, layer::SubscriberExt, util::SubscriberInitExt};

use crate::Reader;

/// The variable that sets the level of a function's own records: `error`,
/// `warn`, `info` (also if it is not set), `debug`, `trace`.
pub const LEVEL: &str = "LOG_LEVEL";

/// Notes if the level cannot be read. [`start`] takes `info` then, so that the
/// mistake is logged.
pub fn check(reader: &mut Reader<'_>) {
    let _ = reader.value::<LevelFilter>(LEVEL);
}

/// Writes records as JSON, one a line, each with the request's id. Those of
/// other targets than these, the function's own, are written from `warn` on:
/// libraries log requests in full below.
pub fn start(targets: &[&str]) {
    let level = env::var(LEVEL).ok().and_then(|level| level.trim().parse().ok()).unwrap_or(LevelFilter::INFO);
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
        .with_target(false);
    tracing_subscriber::registry().with(targets).with(records).init();
}

/// What a function's process ends with. It serves until it is stopped: that it
/// comes back with an error means that it could not start, which is logged.
pub fn ended(served: Result<(), impl Display>) -> ExitCode {
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "the function cannot start");
            ExitCode::FAILURE
        }
    }
}
