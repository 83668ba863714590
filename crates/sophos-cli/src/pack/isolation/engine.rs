//! The engine of this process, and the decisions that it carries out.

use std::{sync::Arc, time::Duration};

use sophos_isolation::{
    DecisionId, DecisionOutcome, Engine, FollowUpScope, Ledger, OutcomePublisher, ProcessedDecision,
    policy::Policy,
};
use sophos_store::Store;
use tokio::sync::mpsc::UnboundedSender;

use crate::{
    context::Context,
    exit::Failure,
    pack::{client, values::since_epoch},
    transport::CliTransport,
};

/// The longest time of one step of the worker.
const STEP_TIMEOUT: Duration = Duration::from_secs(60);

/// The failure of a part that this process provides to the library.
pub(super) type BackendFailure = String;

/// A failure of a part that this process provides, from its cause.
pub(super) fn backend_failure(cause: impl std::fmt::Display) -> BackendFailure {
    cause.to_string()
}

/// The engine over a ledger in a folder or a bucket.
pub(super) type LocalEngine = Engine<CliTransport, Arc<Store>, Outcomes>;

/// The outcomes of decisions, for standard output.
#[derive(Debug, Clone)]
pub(super) struct Outcomes(Option<UnboundedSender<DecisionOutcome>>);

impl Outcomes {
    /// Outcomes that are not published.
    pub(super) fn none() -> Self {
        Self(None)
    }

    pub(super) fn to(sender: UnboundedSender<DecisionOutcome>) -> Self {
        Self(Some(sender))
    }
}

impl OutcomePublisher for Outcomes {
    fn is_enabled(&self) -> bool {
        self.0.is_some()
    }

    async fn publish(&self, outcome: &DecisionOutcome) -> Result<(), BackendFailure> {
        match &self.0 {
            Some(sender) => sender.send(outcome.clone()).map_err(backend_failure),
            None => Ok(()),
        }
    }
}

/// Connects an engine to Sophos Central and a ledger.
pub(super) async fn connect(
    context: &Context,
    store: Arc<Store>,
    outcomes: Outcomes,
) -> Result<LocalEngine, Failure> {
    Ok(Engine::new(client::connect(context).await?, Ledger::new(store), outcomes))
}

/// The deadline of a step of the worker.
pub(super) fn step_deadline() -> Option<Duration> {
    Some(since_epoch() + STEP_TIMEOUT)
}

/// Processes decisions. Returns the messages of those that failed; they stay scheduled.
pub(super) async fn process(engine: &LocalEngine, policy: &Policy, ids: &[DecisionId]) -> Vec<String> {
    let processed = engine.process(policy, ids, step_deadline()).await;
    let failed = processed.into_iter().filter_map(|ProcessedDecision { id, result }| match result {
        Ok(Some(_)) => None,
        Ok(None) => Some(format!("{id}: the ledger has no such decision")),
        Err(error) => Some(format!("{id}: {error}; it is tried again at the next follow-up")),
    });
    failed.collect()
}

/// Follows up decisions. Returns the messages of those that failed; they stay due.
pub(super) async fn follow_up(
    engine: &LocalEngine,
    policy: &Policy,
    scope: FollowUpScope<'_>,
) -> Vec<String> {
    match engine.follow_up_scope(policy, scope, step_deadline()).await {
        Ok(report) => report.errors,
        Err(error) => vec![format!("the follow-up failed: {error}; it is repeated")],
    }
}
