//! Operations of the detections API.

use crate::operation::macros::files;

mod query_run;

files! { detection_groups queries }
