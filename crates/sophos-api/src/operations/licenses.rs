//! Operations of the licenses API.

use crate::operation_macro::files;

files! { product_licenses }
