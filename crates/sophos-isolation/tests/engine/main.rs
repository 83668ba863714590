//! The engine against a simulated Sophos Central over HTTP.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod batches;
mod budgets;
mod checks;
mod emergency_stop;
mod endpoint_lookup;
mod endpoint_releases;
mod episode_properties;
mod episodes;
mod external_isolations;
mod failures;
mod forged_objects;
mod forged_responses;
mod guards;
mod identity;
mod lifecycle;
mod properties;
mod releases;
mod shared_isolations;
mod stored_format;
mod support;
