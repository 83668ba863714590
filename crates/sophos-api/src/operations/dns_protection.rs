//! Operations of the dns protection API.

use crate::operation_macro::files;

files! { locations }
