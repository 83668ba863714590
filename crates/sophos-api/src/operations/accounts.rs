//! Operations of the accounts API.

use crate::operation::macros::files;

files! { access_tokens }
