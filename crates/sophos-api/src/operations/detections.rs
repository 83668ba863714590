pub mod detection_groups;
pub mod queries;

//! Operations of the detections API.
