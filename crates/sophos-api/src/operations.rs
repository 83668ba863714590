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
pub mod accounts;
pub mod cases;
pub mod cloud_security;
pub mod common;
pub mod detections;
pub mod dns_protection;
pub mod email;
pub mod endpoint;
pub mod firewall;
pub mod licenses;
pub mod live_discover;
pub mod mobile;
pub mod switch;
pub mod user_activity_verification;
pub mod wifi;
pub mod xdr_query;
