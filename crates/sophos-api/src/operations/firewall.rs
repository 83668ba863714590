//! Operations of the firewall API.

pub mod configuration;
pub mod firewall_groups;
pub mod firewalls;
pub mod mdr_threat_feed;
