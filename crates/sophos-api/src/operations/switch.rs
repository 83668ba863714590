//! Operations of the switch API.

use crate::operation::macros::files;

files! { mac_filtering tasks }
