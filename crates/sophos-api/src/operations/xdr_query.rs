//! Operations of the xdr query API.

use crate::operation::macros::files;

files! { categories queries query_runs }
