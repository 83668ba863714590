pub mod attestations;

//! Operations of the user activity verification API.
