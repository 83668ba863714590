//! The operations, one file each, by area.
//!
//! Each has a constructor that takes the required values, and one setter for each
//! optional one. Fields have the service's names. A request omits a field that is
//! `None` or an empty list; [`Operation`](crate::Operation) describes the rest.

pub mod alerts;
pub mod endpoints;
pub mod isolation;
pub mod organization;
pub mod siem;
pub mod token;
pub mod whoami;

crate::operation_macro::families! {
    always { partner }
    "account-health" account_health
    "accounts" accounts
    "cases" cases
    "cloud-security" cloud_security
    "common" common
    "detections" detections
    "dns-protection" dns_protection
    "email" email
    "endpoint" endpoint
    "firewall" firewall
    "licenses" licenses
    "live-discover" live_discover
    "mobile" mobile
    "switch" switch
    "user-activity-verification" user_activity_verification
    "wifi" wifi
    "xdr-query" xdr_query
}

#[cfg(test)]
mod published;
