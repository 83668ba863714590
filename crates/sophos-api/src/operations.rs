//! The operations by family, one file for each resource.
//!
//! Each has a constructor that takes the required values, and one setter for each
//! optional one. Fields have the service's names. A request omits a field that is
//! `None` or an empty list; [`Operation`](crate::Operation) describes the rest.

pub mod token;

crate::operation::macros::families! {
    files { whoami }
    always { organization partner }
    "account-health" account_health
    "account-info" account_info
    "accounts" accounts
    "audit" audit
    "business-automation" business_automation
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
    "siem" siem
    "switch" switch
    "user-activity-verification" user_activity_verification
    "web-filters" web_filters
    "wifi" wifi
    "xdr-query" xdr_query
}

#[cfg(test)]
mod published;
#[cfg(test)]
mod snapshots;
