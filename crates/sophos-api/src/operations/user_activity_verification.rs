//! Operations of the user activity verification API.

use crate::operation_macro::files;

files! { attestations }
