//! Operations of the xdr query API.

pub mod categories;
pub mod queries;
pub mod query_runs;
