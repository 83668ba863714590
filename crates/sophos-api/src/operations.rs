//! The operations, one file each, by area.
//!
//! Each has a constructor that takes the required values, and one setter for each
//! optional one. Fields have the service's names. A request omits a field that is
//! `None` or an empty list; [`Operation`](crate::Operation) describes the rest.

pub mod account_health;
pub mod account_info;
pub mod accounts;
pub mod alerts;
pub mod audit;
pub mod business_automation;
pub mod cases;
pub mod cloud_security;
pub mod common;
pub mod detections;
pub mod dns_protection;
pub mod email;
pub mod endpoint;
pub mod endpoints;
pub mod firewall;
pub mod isolation;
pub mod licenses;
pub mod live_discover;
pub mod mobile;
pub mod organization;
pub mod partner;
pub mod siem;
pub mod switch;
pub mod token;
pub mod user_activity_verification;
pub mod web_filters;
pub mod whoami;
pub mod wifi;
pub mod xdr_query;

#[cfg(test)]
mod published;
#[cfg(test)]
mod snapshots;

#[cfg(test)]
const TESTED: &[&[crate::operation_macro::TestedOperation]] = &[
    account_health::scores::TESTED,
    account_health::snooze::TESTED,
    account_info::TESTED,
    accounts::access_tokens::TESTED,
    audit::TESTED,
    business_automation::TESTED,
    cases::case::TESTED,
    cases::case_detections::TESTED,
    cases::impacted_entities::TESTED,
    cloud_security::runtime_detection_profiles::TESTED,
    common::admins::TESTED,
    common::roles::TESTED,
    common::user_groups::TESTED,
    common::users::TESTED,
    detections::detection_groups::TESTED,
    detections::queries::TESTED,
    dns_protection::locations::TESTED,
    email::clawback::TESTED,
    email::mailboxes::TESTED,
    email::post_delivery_quarantine::TESTED,
    email::quarantine::TESTED,
    email::quarantine_attachments::TESTED,
    endpoint::adaptive_attack_protection::TESTED,
    endpoint::allowed_items::TESTED,
    endpoint::base_policies::TESTED,
    endpoint::blocked_addresses::TESTED,
    endpoint::blocked_items::TESTED,
    endpoint::device_software::TESTED,
    endpoint::downloads::TESTED,
    endpoint::endpoint_groups::TESTED,
    endpoint::endpoints::TESTED,
    endpoint::event_journal::TESTED,
    endpoint::exploit_mitigation::TESTED,
    endpoint::forensic_logs::TESTED,
    endpoint::intrusion_prevention_exclusions::TESTED,
    endpoint::isolation_exclusions::TESTED,
    endpoint::memory_dumps::TESTED,
    endpoint::migration_setting::TESTED,
    endpoint::migrations::TESTED,
    endpoint::packages::TESTED,
    endpoint::peripherals::TESTED,
    endpoint::policies::TESTED,
    endpoint::scanning_exclusions::TESTED,
    endpoint::scans::TESTED,
    endpoint::tamper_protection::TESTED,
    endpoint::update_checks::TESTED,
    endpoint::web_control::TESTED,
    firewall::configuration::TESTED,
    firewall::firewall_groups::TESTED,
    firewall::firewalls::TESTED,
    firewall::mdr_threat_feed::TESTED,
    licenses::TESTED,
    live_discover::categories::TESTED,
    live_discover::enrichment_pivots::TESTED,
    live_discover::queries::TESTED,
    live_discover::query_run_results::TESTED,
    live_discover::query_runs::TESTED,
    mobile::actions::TESTED,
    mobile::app_groups::TESTED,
    mobile::device_details::TESTED,
    mobile::device_groups::TESTED,
    mobile::device_properties::TESTED,
    mobile::devices::TESTED,
    mobile::operating_systems::TESTED,
    mobile::setup_data::TESTED,
    partner::admins::TESTED,
    partner::billing::TESTED,
    partner::roles::TESTED,
    partner::tenants::TESTED,
    switch::mac_filtering::TESTED,
    switch::tasks::TESTED,
    user_activity_verification::attestations::TESTED,
    web_filters::profile_metadata::TESTED,
    web_filters::profiles::TESTED,
    web_filters::site_lists::TESTED,
    wifi::mac_filtering::TESTED,
    wifi::tasks::TESTED,
    xdr_query::categories::TESTED,
    xdr_query::queries::TESTED,
    xdr_query::query_runs::TESTED,
];
