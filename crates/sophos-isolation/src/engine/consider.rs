//! What the policy says about a signal, and about which endpoint.

use std::time::Duration;

use sophos_api::{Caller, Record, Transport, models::Endpoint, operations::isolation::GetIsolation};

use super::{
    Engine, EngineError,
    budget::Full,
    lookup::AlertTimes,
    prepare::{STOPPED, target},
};
use crate::{
    check::{Check, CheckOutcome, CheckedSignal},
    decision::Target,
    identity::Identity,
    ledger::Objects,
    outcome::Outcomes,
    policy::{Policy, Refusal, Source, Subject, Verdict},
    resolve::{Candidate, Considered, Unresolved},
    signal::{Action, Observed, Signal, clean},
};

/// What is to be done about a signal.
pub(super) enum Judgement {
    /// The policy does not admit it, or the alert is too old.
    NotAdmitted(Refusal),
    /// Its host is not one endpoint.
    Unresolved(Unresolved),
    /// Its host is not looked for: the source has spent its lookups.
    LookupBudget(Full),
    /// It asks for the release of this endpoint.
    Release(Target),
    /// It asks for the isolation of this endpoint.
    Isolate(Target, Verdict),
}

impl AlertTimes {
    /// The times of a signal that was received and is judged at these moments. It
    /// was observed when its sender says so, else when it came in.
    pub(super) fn of(signal: &Signal, received: Duration, judged: Duration) -> Self {
        let alert = match signal.observed() {
            Observed::Unknown => Some(received),
            Observed::Unreadable => None,
            Observed::At(moment) => Some(moment),
        };
        Self { alert, received, judged }
    }

    /// The age of the alert. A message that was kept back, as in a dead-letter
    /// queue, is as old as the decision at least.
    fn age(self) -> Duration {
        let since = self.alert.map_or(self.received, |alert| alert.min(self.received));
        self.judged.saturating_sub(since)
    }
}

impl<T, O, N> Engine<T, O, N>
where
    T: Transport + 'static,
    O: Objects,
    N: Outcomes,
{
    /// Judges a signal, and tells which endpoints were considered. Nothing is
    /// changed but that the source spends a lookup, under the name of `permit`.
    pub(super) async fn consider(
        &self,
        policy: &Policy,
        source: &Source,
        signal: &Signal,
        times: AlertTimes,
        permit: &str,
        stop_at: Option<Duration>,
    ) -> Result<(Judgement, Vec<Considered>), EngineError> {
        let none = Vec::new;
        let tenants = match policy.admit(source, signal) {
            Ok(tenants) => tenants,
            Err(refusal) => return Ok((Judgement::NotAdmitted(refusal), none())),
        };
        if signal.action == Action::Isolate
            && let Err(refusal) = policy.check_age(source, times.age())
        {
            return Ok((Judgement::NotAdmitted(refusal), none()));
        }
        let identity = match Identity::read(&signal.host) {
            Ok(identity) => identity,
            Err(why) => return Ok((Judgement::Unresolved(Unresolved::Unusable { why }), none())),
        };
        if let Err(full) = self.take_lookup(source, permit).await? {
            return Ok((Judgement::LookupBudget(full), none()));
        }
        let resolution = self.resolve(policy, &tenants, &identity, times, stop_at).await?;
        let judgement = match resolution.outcome {
            Err(why) => Judgement::Unresolved(why),
            Ok(Candidate { tenant, endpoint }) => match signal.action {
                Action::Release => Judgement::Release(self.target(&tenant, &endpoint)),
                Action::Isolate => {
                    let verdict = policy.judge(source, signal, &Subject::of(&endpoint));
                    Judgement::Isolate(self.target(&tenant, &endpoint), verdict)
                }
            },
        };
        Ok((judgement, resolution.considered))
    }

    /// The target, whose name the ledger keeps: none that repeats a token.
    fn target(&self, tenant: &str, endpoint: &Record<Endpoint>) -> Target {
        let client = self.own.get(&tenant.into()).unwrap_or(&self.client);
        let target = target(tenant, endpoint);
        let hostname = target.hostname.map(|name| client.scrub(&name).into_owned());
        Target { hostname, ..target }
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
        stop_at: Option<Duration>,
    ) -> Result<Check, EngineError> {
        let mut check = check;
        if let Some(source) = policy.source(&check.source) {
            for signal in &mut check.signals {
                self.check_signal(policy, source, signal, stop_at).await?;
            }
            if !check.signals.is_empty() && check.signals.iter().all(|signal| signal.known.is_some()) {
                check.answer.status = 200;
            }
        }
        Ok(check)
    }

    async fn check_signal(
        &self,
        policy: &Policy,
        source: &Source,
        checked: &mut CheckedSignal,
        stop_at: Option<Duration>,
    ) -> Result<(), EngineError> {
        checked.known = self.ledger.decision(&checked.decision).await?.map(|decision| decision.state());
        if !matches!(checked.outcome, CheckOutcome::Admitted { .. }) {
            return Ok(());
        }
        let times = AlertTimes::of(&checked.signal, self.now(), self.now());
        // Each dry run has its own: the same message can be sent again and again.
        let permit = format!("check-{}", self.ledger.attempt());
        let considered = self.consider(policy, source, &checked.signal, times, &permit, stop_at).await?;
        let (judgement, considered) = considered;
        checked.considered = considered;
        checked.outcome = match judgement {
            Judgement::NotAdmitted(refusal) => CheckOutcome::refused(refusal.code(), &refusal.to_string()),
            Judgement::Unresolved(why) => CheckOutcome::refused(why.code(), &why.to_string()),
            Judgement::LookupBudget(full) => CheckOutcome::refused(full.code(), &full.to_string()),
            Judgement::Release(target) => {
                checked.endpoint = Some(target);
                CheckOutcome::Release
            }
            Judgement::Isolate(target, verdict) => {
                let outcome = self.check_verdict(&target, verdict, stop_at).await?;
                checked.endpoint = Some(target);
                outcome
            }
        };
        Ok(())
    }

    async fn check_verdict(
        &self,
        target: &Target,
        verdict: Verdict,
        stop_at: Option<Duration>,
    ) -> Result<CheckOutcome, EngineError> {
        let release_after_seconds = match verdict {
            Verdict::Refuse(refusal) => {
                return Ok(CheckOutcome::refused(refusal.code(), &refusal.to_string()));
            }
            Verdict::Rehearse { approval, .. } => return Ok(CheckOutcome::DryRun { approval }),
            Verdict::WaitForApproval { why, .. } => return Ok(CheckOutcome::WaitForApproval { why }),
            Verdict::Isolate { release_after } => release_after.map(|after| after.as_secs()),
        };
        if let Some(stop) = self.ledger.stop().await? {
            return Ok(CheckOutcome::refused(STOPPED, &stop.to_string()));
        }
        let tenant = self.tenant(&target.tenant.as_str().into(), stop_at).await?;
        let state = tenant.send(&GetIsolation { endpoint_id: target.endpoint.clone() }).await?;
        if state.enabled == Some(true) {
            let comment = clean(&tenant.scrub(state.comment.as_deref().unwrap_or_default()));
            return Ok(CheckOutcome::AlreadyIsolated { comment });
        }
        Ok(CheckOutcome::Isolate { release_after_seconds })
    }
}
