//! Operations of the switch API.

pub mod mac_filtering;
pub mod tasks;
