//! Operations of the organization API.

use crate::operation_macro::files;

files! { tenants }
