//! The operations, one file each, by area.
//!
//! Each has a constructor that takes the required values, and one setter for each
//! optional one. Fields have the service's names. A request omits a field that is
//! `None` or an empty list; [`Operation`](crate::Operation) describes the rest.

pub mod account_health;
pub mod alerts;
pub mod endpoints;
pub mod isolation;
pub mod organization;
pub mod partner;
pub mod siem;
pub mod token;
pub mod whoami;
