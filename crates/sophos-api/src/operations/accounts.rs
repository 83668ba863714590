//! Operations of the accounts API.

use crate::operation_macro::files;

files! { access_tokens }
