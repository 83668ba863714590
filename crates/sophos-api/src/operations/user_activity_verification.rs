//! Operations of the user activity verification API.

pub mod attestations;
