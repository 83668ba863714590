pub mod licenses;

//! Operations of the licenses API.
