//! Operations of the common API.

use crate::operation_macro::files;

files! { admins alerts roles user_groups users }
