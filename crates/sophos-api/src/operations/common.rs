//! Operations of the common API.

use crate::operation::macros::files;

files! { admins alerts roles user_groups users }
