//! Operations of the partner API.

use crate::operation::macros::files;

files! { admins billing roles tenants }
