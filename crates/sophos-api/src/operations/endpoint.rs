//! Operations of the endpoint API.

use crate::operation::macros::files;

files! {
    adaptive_attack_protection
    allowed_items
    base_policies
    blocked_addresses
    blocked_items
    device_software
    downloads
    endpoint_groups
    endpoints
    event_journal
    exploit_mitigation
    forensic_logs
    intrusion_prevention_exclusions
    isolation
    isolation_exclusions
    memory_dumps
    migration_setting
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
