//! The engine against a Sophos Central over HTTP.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod batches;
mod budgets;
mod checks;
mod episode_properties;
mod episodes;
mod failures;
mod endpoint_lookup;
mod forged_responses;
mod guards;
mod shared_isolations;
mod identity;
mod lifecycle;
mod endpoint_releases;
mod external_isolations;
mod properties;
mod releases;
mod emergency_stop;
mod support;
mod forged_objects;
