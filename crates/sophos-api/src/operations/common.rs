//! Operations of the common API.

pub mod admins;
pub mod directory;
pub mod roles;
