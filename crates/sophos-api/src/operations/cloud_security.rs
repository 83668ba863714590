//! Operations of the cloud security API.

use crate::operation::macros::files;

files! { runtime_detection_profiles }
