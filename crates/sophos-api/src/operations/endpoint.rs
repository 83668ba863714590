//! Operations of the endpoint API.

pub mod adaptive_attack_protection;
pub mod allowed_items;
pub mod base_policies;
pub mod blocked_addresses;
pub mod blocked_items;
pub mod device_software;
pub mod downloads;
pub mod endpoint_groups;
pub mod endpoints;
pub mod event_journal;
pub mod exploit_mitigation;
pub mod forensic_logs;
pub mod intrusion_prevention_exclusions;
pub mod isolation_exclusions;
pub mod memory_dumps;
pub mod migration_setting;
pub mod migrations;
pub mod packages;
pub mod peripherals;
pub mod policies;
pub mod scanning_exclusions;
pub mod scans;
pub mod tamper_protection;
pub mod update_checks;
pub mod web_control;
