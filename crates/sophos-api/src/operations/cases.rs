//! Operations of the cases API.

use crate::operation::macros::files;

files! { case case_detections impacted_entities }
