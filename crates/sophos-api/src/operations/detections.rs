//! Operations of the detections API.

use crate::operation_macro::files;

mod query_run;

files! { detection_groups queries }
