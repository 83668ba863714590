//! The world `webhook`: isolation on other tools' alerts, over what its host
//! provides.

mod decisions;
mod engine;
mod incoming;
mod journal;
mod keys;
mod ledger;
mod outcomes;
mod queue;
mod receive;
mod rules;

use std::time::Duration;

use sophos_api::Transport;

use crate::transport::Outbound;

/// The time since the Unix epoch.
fn now() -> Duration {
    Outbound.now()
}
