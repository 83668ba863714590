//! Operations of the common API.

pub mod admins;
pub mod roles;
pub mod user_groups;
pub mod users;
