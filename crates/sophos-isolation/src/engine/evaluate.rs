//! The evaluation of a signal: the endpoint that it is about, and the policy's
//! verdict.

use std::time::Duration;

use sophos_api::{
    ApiClient, Transport, WithRaw, models::Endpoint, operations::endpoint::isolation::GetIsolation,
};

use super::{
    Engine, EngineError,
    budget::{BudgetExhausted, PermitError},
    record::STOPPED_CODE,
};
use crate::{
    check::{Check, CheckOutcome, CheckedSignal},
    decision::IsolationTarget,
    identity::HostIdentity,
    ledger::LedgerStore,
    outcome::OutcomePublisher,
    policy::{Policy, PolicyEndpoint, Refusal, Source, Verdict},
    resolve::{EndpointCandidate, RejectedCandidate, Unresolved},
    signal::{Action, ObservedAt, Signal, clean},
};

/// The result of evaluating a signal.
pub(super) enum Evaluation {
    /// The policy does not admit it, or the alert is too old.
    NotAdmitted(Refusal),
    /// Its host does not resolve to exactly one endpoint.
    Unresolved(Unresolved),
    /// The source's lookups of this hour are used, so the host was not looked up.
    LookupBudget(BudgetExhausted),
    /// It requests the release of this endpoint.
    Release(IsolationTarget),
    /// It requests the isolation of this endpoint.
    Isolate(IsolationTarget, Verdict),
}

/// The times of an alert, since the Unix epoch.
#[derive(Debug, Clone, Copy)]
pub(super) struct AlertTimes {
    /// The time of observation; `None` when the sender's time is invalid.
    pub(super) observed_at: Option<Duration>,
    /// The time of receipt.
    pub(super) received_at: Duration,
    /// The time for which its age is computed.
    pub(super) evaluated_at: Duration,
}

impl AlertTimes {
    /// Returns the times of a signal. Without a time of the sender it counts as
    /// observed when it was received.
    pub(super) fn new(signal: &Signal, received_at: Duration, evaluated_at: Duration) -> Self {
        let observed_at = match signal.observed() {
            ObservedAt::Missing => Some(received_at),
            ObservedAt::Invalid => None,
            ObservedAt::At(time) => Some(time),
        };
        Self { observed_at, received_at, evaluated_at }
    }

    /// Returns the age of the alert: at least that of the decision, also for a
    /// message that was delayed, as in a dead-letter queue.
    fn age(self) -> Duration {
        let since = self.observed_at.map_or(self.received_at, |observed| observed.min(self.received_at));
        self.evaluated_at.saturating_sub(since)
    }
}

impl<T, O, N> Engine<T, O, N>
where
    T: Transport + 'static,
    O: LedgerStore,
    N: OutcomePublisher,
{
    /// Evaluates a signal. Returns the result and the rejected candidates. The only
    /// change is that the source uses a lookup permit, under the name `permit`.
    pub(super) async fn evaluate(
        &self,
        policy: &Policy,
        source: &Source,
        signal: &Signal,
        times: AlertTimes,
        permit: &str,
        deadline: Option<Duration>,
    ) -> Result<(Evaluation, Vec<RejectedCandidate>), EngineError> {
        let tenants = match policy.admit(source, signal) {
            Ok(tenants) => tenants,
            Err(refusal) => return Ok((Evaluation::NotAdmitted(refusal), Vec::new())),
        };
        if signal.action == Action::Isolate
            && let Err(refusal) = policy.check_age(source, times.age())
        {
            return Ok((Evaluation::NotAdmitted(refusal), Vec::new()));
        }
        let identity = match HostIdentity::from_identifiers(&signal.host) {
            Ok(identity) => identity,
            Err(cause) => return Ok((Evaluation::Unresolved(Unresolved::Unusable { cause }), Vec::new())),
        };
        match self.acquire_lookup_permit(source, permit).await {
            Ok(()) => {}
            Err(PermitError::Exhausted(budget)) => {
                return Ok((Evaluation::LookupBudget(budget), Vec::new()));
            }
            Err(PermitError::Failed(error)) => return Err(error),
        }
        let resolution = self.resolve(policy, &tenants, &identity, times, deadline).await?;
        let evaluation = match resolution.outcome {
            Err(reason) => Evaluation::Unresolved(reason),
            Ok(EndpointCandidate { tenant, endpoint }) => match signal.action {
                Action::Release => Evaluation::Release(self.scrubbed_target(&tenant, &endpoint)),
                Action::Isolate => {
                    let verdict = policy.evaluate(source, signal, &PolicyEndpoint::from_record(&endpoint));
                    Evaluation::Isolate(self.scrubbed_target(&tenant, &endpoint), verdict)
                }
            },
        };
        Ok((evaluation, resolution.rejected))
    }

    /// Returns the target. The ledger keeps its name, so tokens are removed from it.
    fn scrubbed_target(&self, tenant: &str, endpoint: &WithRaw<Endpoint>) -> IsolationTarget {
        let client = self.tenant_clients.get(&tenant.into()).unwrap_or(&self.client);
        let target = isolation_target(tenant, endpoint);
        let hostname = target.hostname.map(|name| client.scrub(&name).into_owned());
        IsolationTarget { hostname, ..target }
    }

    /// Completes a check: resolves the endpoint of each signal that the policy
    /// admits, and reads its isolation. It records nothing and changes nothing.
    ///
    /// # Errors
    /// When Sophos Central or the ledger fails.
    pub async fn check(
        &self,
        policy: &Policy,
        check: Check,
        deadline: Option<Duration>,
    ) -> Result<Check, EngineError> {
        let mut check = check;
        if let Some(source) = policy.source(&check.source) {
            for signal in &mut check.signals {
                self.check_signal(policy, source, signal, deadline).await?;
            }
            if !check.signals.is_empty() && check.signals.iter().all(|signal| signal.existing_state.is_some())
            {
                check.response.status = 200;
            }
        }
        Ok(check)
    }

    async fn check_signal(
        &self,
        policy: &Policy,
        source: &Source,
        checked: &mut CheckedSignal,
        deadline: Option<Duration>,
    ) -> Result<(), EngineError> {
        checked.existing_state =
            self.ledger.load_decision(&checked.decision).await?.map(|decision| decision.state());
        if !matches!(checked.outcome, CheckOutcome::Admitted { .. }) {
            return Ok(());
        }
        let times = AlertTimes::new(&checked.signal, self.now(), self.now());
        // Each check uses its own permit, also for the same message.
        let permit = format!("check-{}", self.ledger.next_attempt_id());
        let (evaluation, rejected) =
            self.evaluate(policy, source, &checked.signal, times, &permit, deadline).await?;
        checked.rejected_candidates = rejected;
        checked.outcome = match evaluation {
            Evaluation::NotAdmitted(refusal) => CheckOutcome::refused(refusal.code(), &refusal.to_string()),
            Evaluation::Unresolved(reason) => CheckOutcome::refused(reason.code(), &reason.to_string()),
            Evaluation::LookupBudget(budget) => CheckOutcome::refused(budget.code(), &budget.to_string()),
            Evaluation::Release(target) => {
                checked.endpoint = Some(target);
                CheckOutcome::Release
            }
            Evaluation::Isolate(target, verdict) => {
                let outcome = self.check_verdict(&target, verdict, deadline).await?;
                checked.endpoint = Some(target);
                outcome
            }
        };
        Ok(())
    }

    async fn check_verdict(
        &self,
        target: &IsolationTarget,
        verdict: Verdict,
        deadline: Option<Duration>,
    ) -> Result<CheckOutcome, EngineError> {
        let release_after_seconds = match verdict {
            Verdict::Refuse(refusal) => {
                return Ok(CheckOutcome::refused(refusal.code(), &refusal.to_string()));
            }
            Verdict::DryRun { approval_reason, .. } => return Ok(CheckOutcome::DryRun { approval_reason }),
            Verdict::WaitForApproval { reason, .. } => return Ok(CheckOutcome::WaitForApproval { reason }),
            Verdict::Isolate { release_after } => release_after.map(|after| after.as_secs()),
        };
        if let Some(stop) = self.ledger.load_emergency_stop().await? {
            return Ok(CheckOutcome::refused(STOPPED_CODE, &stop.to_string()));
        }
        let tenant = self.tenant(&target.tenant.as_str().into(), deadline).await?;
        let state = tenant.send(&GetIsolation::new(target.endpoint.as_str())).await?;
        if state.enabled == Some(true) {
            let comment = clean(&tenant.scrub(state.comment.as_deref().unwrap_or_default()));
            return Ok(CheckOutcome::AlreadyIsolated { comment });
        }
        Ok(CheckOutcome::Isolate { release_after_seconds })
    }
}

fn isolation_target(tenant: &str, endpoint: &WithRaw<Endpoint>) -> IsolationTarget {
    IsolationTarget {
        tenant: tenant.to_ascii_lowercase(),
        endpoint: endpoint.id.to_ascii_lowercase(),
        hostname: endpoint.hostname.as_deref().map(clean),
    }
}
