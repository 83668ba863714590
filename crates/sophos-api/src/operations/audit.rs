//! Operations of the audit API.

use crate::operation::macros::files;

files! { audit_events }
