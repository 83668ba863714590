pub mod mac_filtering;
pub mod tasks;

//! Operations of the switch API.
