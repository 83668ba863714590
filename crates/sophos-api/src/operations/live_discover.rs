//! Operations of the live discover API.

pub mod categories;
pub mod enrichment_pivots;
pub mod queries;
pub mod query_run_results;
pub mod query_runs;
