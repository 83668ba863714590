//! Operations of the partner API.

use crate::operation_macro::files;

files! { admins billing roles tenants }
