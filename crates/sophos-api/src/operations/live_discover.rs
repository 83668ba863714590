//! Operations of the live discover API.

use crate::operation::macros::files;

files! { categories enrichment_pivots queries query_run_results query_runs }
