//! Operations of the business automation API.

use crate::operation::macros::files;

files! { quotes }
