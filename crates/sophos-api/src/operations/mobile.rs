//! Operations of the mobile API.

pub mod actions;
pub mod app_groups;
pub mod device_details;
pub mod device_groups;
pub mod device_properties;
pub mod devices;
pub mod operating_systems;
pub mod setup_data;
