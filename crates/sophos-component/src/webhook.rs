//! The world `webhook`: `sophos-isolation` over the host's imports.

mod audit_log;
mod decisions;
mod engine;
mod incoming;
mod ledger;
mod outcomes;
mod policy_settings;
mod queue;
mod receive;
mod secrets;

use std::time::Duration;

use sophos_api::Transport;

use crate::transport::HostTransport;

/// Returns the time since the Unix epoch.
fn now() -> Duration {
    HostTransport.now()
}
