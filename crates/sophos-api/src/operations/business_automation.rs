//! Operations of the business automation API.

use crate::operation_macro::files;

files! { quotes }
