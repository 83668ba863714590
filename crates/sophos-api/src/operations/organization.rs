//! Operations of the organization API.

use crate::operation::macros::files;

files! { tenants }
