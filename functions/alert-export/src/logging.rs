use std::env;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::{filter::Targets, layer::SubscriberExt, util::SubscriberInitExt};

/// The variable that sets the level of this function's own records: `error`,
/// `warn`, `info` (also if it is not set), `debug`, `trace`.
pub(crate) const LEVEL: &str = "LOG_LEVEL";

/// Writes records as JSON, one a line, each with the request's id.
pub(crate) fn start() {
    let level = env::var(LEVEL).ok().and_then(|level| level.trim().parse().ok()).unwrap_or(LevelFilter::INFO);
    // Libraries log requests in full below warn.
    let ours = ["alert_export", "sophos_api", "sophos_export", "sophos_secrets"];
    let targets = Targets::new()
        .with_default(level.min(LevelFilter::WARN))
        .with_targets(ours.map(|target| (target, level)));
    let records = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(false)
        .with_target(false);
    tracing_subscriber::registry().with(targets).with(records).init();
}
