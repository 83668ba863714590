//! The world `webhook`: isolation on other tools' alerts, over what its host
//! provides.

mod decisions;
mod engine;
mod incoming;
mod audit_log;
mod secrets;
mod ledger;
mod outcomes;
mod queue;
mod receive;
mod policy_settings;

use std::time::Duration;

use sophos_api::Transport;

use crate::transport::HostTransport;

/// The time since the Unix epoch.
fn now() -> Duration {
    HostTransport.now()
}
