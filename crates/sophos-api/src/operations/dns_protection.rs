//! Operations of the dns protection API.

use crate::operation::macros::files;

files! { locations }
