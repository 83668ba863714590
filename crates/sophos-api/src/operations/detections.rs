//! Operations of the detections API.

use crate::operation_macro::files;

files! { detection_groups queries }
