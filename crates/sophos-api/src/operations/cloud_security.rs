//! Operations of the cloud security API.

use crate::operation_macro::files;

files! { runtime_detection_profiles }
