//! The verification of a load, and the figures of the service and the store.

use std::collections::{BTreeMap, HashMap};

use sophos_isolation::{Decision, DecisionId, DecisionState};
use sophos_simulator::IsolationChange;

use super::{
    fixture::{self, IsolationFixture},
    load::AcceptedEvent,
};
use crate::{BenchResult, measure::Percentiles};

/// The outcomes of the events.
pub(crate) struct Verification {
    pub(crate) events: usize,
    pub(crate) isolated: usize,
    /// The number of events over a limit.
    pub(crate) refused: usize,
    /// The times from the 202 response to the isolation request.
    pub(crate) call_delay: Percentiles,
    /// Isolation requests per second, from the first to the last.
    pub(crate) rate: f64,
    /// Seconds from the last event to the last isolation request.
    pub(crate) completed_after_seconds: f64,
    /// Requests per isolated endpoint, by kind.
    pub(crate) requests: Vec<(String, f64)>,
}

/// Compares the ledger and the service with the events: each event has one decision, each
/// decision has ended, and exactly the right endpoints were isolated once.
///
/// # Errors
///
/// With the first defect.
pub(crate) async fn verify(
    fixture: &IsolationFixture,
    answered: &[AcceptedEvent],
    last_ms: f64,
) -> BenchResult<Verification> {
    let requests = fixture.s3.as_ref().map(|s3| s3.requests()).unwrap_or_default();
    let calls = fixture.env.simulator.calls();
    let mut decisions: HashMap<DecisionId, Decision> = HashMap::new();
    for decision in fixture.env.decisions().await? {
        decisions.insert(decision.id().clone(), decision);
    }
    if decisions.len() != answered.len() {
        let kept = decisions.len();
        return Err(format!("the ledger has {kept} decisions for {} events", answered.len()).into());
    }
    let changes = fixture.env.simulator.isolation_changes();
    let mut by_endpoint: HashMap<&str, Vec<&IsolationChange>> = HashMap::new();
    for change in &changes {
        by_endpoint.entry(&change.endpoint).or_default().push(change);
    }
    let (mut calls_after, mut refused) = (Vec::new(), 0);
    for AcceptedEvent { number, decision: id, at_ms, .. } in answered {
        let endpoint = fixture::endpoint(*number);
        let changes = by_endpoint.remove(endpoint.as_str()).unwrap_or_default();
        let decision = decisions.remove(id).ok_or("a decision is missing, or two events share one")?;
        let spent = decision.refusal().is_some_and(|(code, _)| code.ends_with("_budget"));
        match (decision.state(), changes.as_slice()) {
            (DecisionState::Requested, [once]) if once.enabled && once.changed => {
                calls_after.push(once.received_real_ms as f64 - at_ms);
            }
            (DecisionState::Refused, []) if spent => refused += 1,
            (state, _) => {
                let entries = decision.entries();
                return Err(format!(
                    "{id} is {state}, the changes of {endpoint} are {changes:?}; {entries:?}"
                )
                .into());
            }
        }
    }
    if let Some(endpoint) = by_endpoint.keys().next() {
        return Err(format!("{endpoint} was isolated without an event").into());
    }
    let times = || changes.iter().map(|change| change.received_real_ms);
    let (first, last) = (times().min().unwrap_or(0), times().max().unwrap_or(0));
    let isolated = changes.len();
    Ok(Verification {
        events: answered.len(),
        isolated,
        refused,
        call_delay: Percentiles::new(calls_after),
        rate: isolated.saturating_sub(1) as f64 * 1e3 / ((last - first) as f64).max(1.0),
        completed_after_seconds: (last as f64 - last_ms) / 1e3,
        requests: requests_per_isolation(&calls.by_operation, &requests, isolated),
    })
}

fn requests_per_isolation(
    calls: &BTreeMap<String, u64>,
    requests: &[String],
    isolated: usize,
) -> Vec<(String, f64)> {
    let mut counts = calls.clone();
    for request in requests {
        *counts.entry(request_kind(request)).or_default() += 1;
    }
    counts.into_iter().map(|(what, count)| (what, count as f64 / isolated.max(1) as f64)).collect()
}

/// The kind of a request to the store, from its method and path.
fn request_kind(request: &str) -> String {
    let (method, path) = request.split_once(' ').unwrap_or((request, ""));
    let kind = if path.contains("list-type=") { "LIST" } else { method };
    format!("S3 {kind}")
}
