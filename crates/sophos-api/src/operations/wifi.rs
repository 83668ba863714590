//! Operations of the wifi API.

pub mod mac_filtering;
pub mod tasks;
