pub mod detection_groups;
pub mod detections;

//! Operations of the detections API.
