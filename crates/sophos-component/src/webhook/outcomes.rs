//! The imported `outcomes`.

use serde_json::Value;
use sophos_isolation::{ApprovalUrl, BackendError, DecisionOutcome, OutcomePublisher};

use crate::bindings::sophos::central::outcomes;

/// The imported `outcomes`.
#[derive(Debug, Clone, Copy)]
pub(super) struct HostOutcomes;

impl OutcomePublisher for HostOutcomes {
    fn is_enabled(&self) -> bool {
        outcomes::is_enabled()
    }

    async fn publish(&self, outcome: &DecisionOutcome) -> Result<(), BackendError> {
        let mut details = serde_json::to_value(outcome).map_err(BackendError::new)?;
        // The host may store `details`, so the link is a separate field.
        if let Value::Object(members) = &mut details {
            members.remove("approval_url");
        }
        outcomes::publish(&outcomes::Outcome {
            decision: outcome.decision.to_string(),
            sequence: outcome.sequence,
            status: outcome.status.clone(),
            occurred_at: outcome.occurred_at.clone(),
            source: outcome.source.clone(),
            approval_url: outcome.approval_url.as_ref().map(ApprovalUrl::expose).map(str::to_owned),
            details: details.to_string(),
        })
        .map_err(BackendError::new)
    }
}
