//! Operations of the xdr query API.

use crate::operation_macro::files;

files! { categories queries query_runs }
