//! Operations of the licenses API.

pub mod licenses;
