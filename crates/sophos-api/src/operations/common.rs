
pub mod admins;
pub mod roles;
pub mod user_groups;
pub mod users;

//! Operations of the common API.
