//! Operations of the cloud security API.

pub mod runtime_detection_profiles;
