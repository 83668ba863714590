//! Operations of the switch API.

use crate::operation_macro::files;

files! { mac_filtering tasks }
