//! What the policy says about a signal, and about which endpoint.

use std::time::Duration;

use sophos_api::{ApiClient, Transport, WithRaw, models::Endpoint, operations::isolation::GetIsolation};

use super::{
    Engine, EngineError,
    budget::BudgetExhausted,
    lookup::AlertTimes,
    prepare::{STOPPED_CODE, isolation_target},
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

/// What is to be done about a signal.
pub(super) enum Evaluation {
    /// The policy does not admit it, or the alert is too old.
    NotAdmitted(Refusal),
    /// Its host is not one endpoint.
    Unresolved(Unresolved),
    /// Its host is not looked for: the source has spent its lookups.
    LookupBudget(BudgetExhausted),
    /// It asks for the release of this endpoint.
    Release(IsolationTarget),
    /// It asks for the isolation of this endpoint.
    Isolate(IsolationTarget, Verdict),
}

impl AlertTimes {
    /// The times of a signal that was received and is judged at these moments. It
    /// was observed when its sender says so, else when it came in.
    pub(super) fn new(signal: &Signal, received_at: Duration, evaluated_at: Duration) -> Self {
        let alert = match signal.observed() {
            ObservedAt::Missing => Some(received_at),
            ObservedAt::Invalid => None,
            ObservedAt::At(moment) => Some(moment),
        };
        Self { observed_at: alert, received_at, evaluated_at }
    }

    /// The age of the alert. A message that was kept back, as in a dead-letter
    /// queue, is as old as the decision at least.
    fn age(self) -> Duration {
        let since = self.observed_at.map_or(self.received_at, |alert| alert.min(self.received_at));
        self.evaluated_at.saturating_sub(since)
    }
}

impl<T, O, N> Engine<T, O, N>
where
    T: Transport + 'static,
    O: LedgerStore,
    N: OutcomePublisher,
{
    /// Judges a signal, and tells which endpoints were considered. Nothing is
    /// changed but that the source spends a lookup, under the name of `permit`.
    pub(super) async fn evaluate(
        &self,
        policy: &Policy,
        source: &Source,
        signal: &Signal,
        times: AlertTimes,
        permit: &str,
        deadline: Option<Duration>,
    ) -> Result<(Evaluation, Vec<RejectedCandidate>), EngineError> {
        let none = Vec::new;
        let tenants = match policy.admit(source, signal) {
            Ok(tenants) => tenants,
            Err(refusal) => return Ok((Evaluation::NotAdmitted(refusal), none())),
        };
        if signal.action == Action::Isolate
            && let Err(refusal) = policy.check_age(source, times.age())
        {
            return Ok((Evaluation::NotAdmitted(refusal), none()));
        }
        let identity = match HostIdentity::from_identifiers(&signal.host) {
            Ok(identity) => identity,
            Err(why) => return Ok((Evaluation::Unresolved(Unresolved::Unusable { cause: why }), none())),
        };
        if let Err(full) = self.acquire_lookup_permit(source, permit).await? {
            return Ok((Evaluation::LookupBudget(full), none()));
        }
        let resolution = self.resolve(policy, &tenants, &identity, times, deadline).await?;
        let judgement = match resolution.outcome {
            Err(why) => Evaluation::Unresolved(why),
            Ok(EndpointCandidate { tenant, endpoint }) => match signal.action {
                Action::Release => Evaluation::Release(self.scrubbed_target(&tenant, &endpoint)),
                Action::Isolate => {
                    let verdict = policy.evaluate(source, signal, &PolicyEndpoint::from_record(&endpoint));
                    Evaluation::Isolate(self.scrubbed_target(&tenant, &endpoint), verdict)
                }
            },
        };
        Ok((judgement, resolution.rejected))
    }

    /// The target, whose name the ledger keeps: none that repeats a token.
    fn scrubbed_target(&self, tenant: &str, endpoint: &WithRaw<Endpoint>) -> IsolationTarget {
        let client = self.tenant_clients.get(&tenant.into()).unwrap_or(&self.client);
        let target = isolation_target(tenant, endpoint);
        let hostname = target.hostname.map(|name| client.scrub(&name).into_owned());
        IsolationTarget { hostname, ..target }
    }

    /// Completes a check: looks for the endpoint of each signal that the policy
    /// admits, and reads its isolation. Nothing is recorded, and no call is made
    /// that changes anything.
    ///
    /// # Errors
    /// When the service or the ledger fails.
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
        // Each dry run has its own: the same message can be sent again and again.
        let permit = format!("check-{}", self.ledger.next_attempt_id());
        let considered = self.evaluate(policy, source, &checked.signal, times, &permit, deadline).await?;
        let (judgement, considered) = considered;
        checked.rejected_candidates = considered;
        checked.outcome = match judgement {
            Evaluation::NotAdmitted(refusal) => CheckOutcome::refused(refusal.code(), &refusal.to_string()),
            Evaluation::Unresolved(why) => CheckOutcome::refused(why.code(), &why.to_string()),
            Evaluation::LookupBudget(full) => CheckOutcome::refused(full.code(), &full.to_string()),
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
            Verdict::DryRun { approval_reason: approval, .. } => {
                return Ok(CheckOutcome::DryRun { approval_reason: approval });
            }
            Verdict::WaitForApproval { reason: why, .. } => {
                return Ok(CheckOutcome::WaitForApproval { reason: why });
            }
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
