//! The operations, one file each, by area.
//!
//! Members are named as the service names them, and are left out of the request
//! when they are `None` or an empty list. See [`Operation`](crate::Operation) for how a
//! struct becomes a request.

pub mod account_health;
pub mod alerts;
pub mod endpoints;
pub mod isolation;
pub mod organization;
pub mod partner;
pub mod siem;
pub mod token;
pub mod whoami;
