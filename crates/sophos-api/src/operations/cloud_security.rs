pub mod runtime_detection_profiles;

//! Operations of the cloud security API.
