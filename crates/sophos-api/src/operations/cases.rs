//! Operations of the cases API.

pub mod case;
pub mod case_detections;
pub mod impacted_entities;
