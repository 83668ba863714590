//! Operations of the detections API.

pub mod detection_groups;
pub mod queries;
mod query_run;
