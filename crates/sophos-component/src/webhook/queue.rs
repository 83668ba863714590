//! The imported `queue`, with inline processing as the fallback.

use std::sync::{Mutex, PoisonError};

use sophos_isolation::{BackendError, DecisionId, webhook::Queue};

use super::{engine, policy_settings::PolicySettings};
use crate::bindings::sophos::central::queue::{self, Dispatch};

/// The imported `queue`, for one request.
#[derive(Debug)]
pub(super) struct HostQueue {
    settings: PolicySettings,
    /// The errors of inline processing.
    failures: Mutex<Vec<String>>,
}

impl HostQueue {
    pub(super) fn new(settings: PolicySettings) -> Self {
        Self { settings, failures: Mutex::default() }
    }

    /// Returns the decisions whose inline processing failed, with the errors.
    pub(super) fn failures(&self) -> Vec<String> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Queue for HostQueue {
    async fn send(&self, decisions: &[DecisionId]) -> Result<(), BackendError> {
        let ids: Vec<_> = decisions.iter().map(|id| id.as_str().to_owned()).collect();
        if queue::enqueue(&ids).map_err(BackendError::new)? == Dispatch::Queued {
            return Ok(());
        }
        // A failed decision is scheduled, so the sender need not retry.
        let processed = engine::process_decisions(&self.settings, decisions).map_err(BackendError::new)?;
        for processed in processed {
            if let Err(error) = processed.result {
                let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
                failures.push(format!("{}: {error}", processed.id));
            }
        }
        Ok(())
    }
}
