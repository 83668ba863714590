//! Operations of the wifi API.

use crate::operation_macro::files;

files! { mac_filtering tasks }
