//! Outcomes, told to the host.

use serde_json::Value;
use sophos_isolation::{ApprovalUrl, DecisionOutcome, OutcomePublisher};

use crate::bindings::sophos::central::outcomes;

/// The imported `outcomes`.
#[derive(Debug, Clone, Copy)]
pub(super) struct HostOutcomes;

impl OutcomePublisher for HostOutcomes {
    fn is_enabled(&self) -> bool {
        outcomes::has_listener()
    }

    async fn publish(&self, outcome: &DecisionOutcome) -> Result<(), String> {
        let mut all = serde_json::to_value(outcome).map_err(|error| error.to_string())?;
        // The link goes where it is asked for, and not where all of it is kept.
        if let Value::Object(members) = &mut all {
            members.remove("approval_url");
        }
        outcomes::publish(&outcomes::Outcome {
            decision: outcome.decision.to_string(),
            sequence: outcome.sequence,
            what: outcome.status.clone(),
            at: outcome.occurred_at.clone(),
            source: outcome.source.clone(),
            approval_url: outcome.approval_url.as_ref().map(ApprovalUrl::expose).map(str::to_owned),
            all: all.to_string(),
        })
    }
}
