//! Operations of the wifi API.

use crate::operation::macros::files;

files! { mac_filtering tasks }
