//! Operations of the cases API.

use crate::operation_macro::files;

files! { case case_detections impacted_entities }
