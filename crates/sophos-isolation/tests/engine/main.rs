//! The engine against a Sophos Central over HTTP.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod batches;
mod budgets;
mod checks;
mod episode_properties;
mod episodes;
mod failures;
mod finding;
mod forged;
mod guards;
mod holders;
mod identity;
mod lifecycle;
mod machine_releases;
mod others;
mod properties;
mod releases;
mod stopped;
mod support;
mod writers;
