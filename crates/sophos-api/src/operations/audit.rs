//! Operations of the audit API.

use crate::operation_macro::files;

files! { audit_events }
