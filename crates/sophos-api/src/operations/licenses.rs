//! Operations of the licenses API.

use crate::operation::macros::files;

files! { product_licenses }
