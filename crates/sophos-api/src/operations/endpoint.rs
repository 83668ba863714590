//! Operations of the endpoint API.

use crate::operation_macro::files;

files! {
    adaptive_attack_protection
    allowed_items
    base_policies
    blocked_addresses
    blocked_items
    downloads
    endpoint_groups
    endpoints
    event_journal
    exploit_mitigation
    forensic_logs
    intrusion_prevention_exclusions
    isolation_exclusions
    memory_dumps
    migrations
    packages
    peripherals
    policies
    scanning_exclusions
    scans
    tamper_protection
    update_checks
    web_control
}
