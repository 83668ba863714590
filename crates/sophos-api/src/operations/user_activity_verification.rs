//! Operations of the user activity verification API.

use crate::operation::macros::files;

files! { attestations }
