//! Who carries decisions out: the host's queue, or this instance.

use std::sync::{Mutex, PoisonError};

use sophos_isolation::{DecisionId, webhook::Queue};

use super::{engine, policy_settings::PolicySettings};
use crate::bindings::sophos::central::queue::{self, Dispatch};

/// The imported `queue`, for one request.
#[derive(Debug)]
pub(super) struct HostQueue {
    rules: PolicySettings,
    /// What could not be carried out here.
    failures: Mutex<Vec<String>>,
}

impl HostQueue {
    pub(super) fn new(rules: PolicySettings) -> Self {
        Self { rules, failures: Mutex::default() }
    }

    /// The decisions that were not carried out, and why.
    pub(super) fn failures(&self) -> Vec<String> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Queue for HostQueue {
    async fn send(&self, decisions: &[DecisionId]) -> Result<(), String> {
        let ids: Vec<_> = decisions.iter().map(|id| id.as_str().to_owned()).collect();
        if queue::enqueue(&ids)? == Dispatch::Queued {
            return Ok(());
        }
        // What was not taken further is on the agenda: the sender need not send
        // again.
        for worked in engine::process_decisions(&self.rules, decisions)? {
            if let Err(error) = worked.result {
                let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
                failures.push(format!("{}: {error}", worked.id));
            }
        }
        Ok(())
    }
}
