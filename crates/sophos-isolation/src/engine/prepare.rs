//! From a signal to an endpoint that may be isolated, or to the reason why
//! nothing is.

use std::time::Duration;

use sophos_api::{
    Caller, Record, TenantId, Transport, models::Endpoint, operations::isolation::GetIsolation,
};

use super::{Engine, EngineError, GIVE_UP, LEASE, is_lasting};
use crate::{
    adapters::NotActionable,
    decision::{Asked, Claim, Decision, DecisionId, State, Step, Target},
    identity::Identity,
    ledger::Objects,
    outcome::Outcomes,
    policy::{Policy, Source, Subject, Verdict},
    resolve::Unresolved,
    signal::{Action, Signal, clean},
};

/// The longest time between two attempts.
const LONGEST_DEFERRAL: u64 = 600;

/// How often a decision is read again because another run took a step.
const ROUNDS: usize = 8;

pub(super) enum Prepared {
    /// There is no decision of this id.
    Unknown,
    /// There is nothing to call for, now or at all.
    Settled(Decision),
    /// It is claimed: the call comes next.
    Ready(Box<Decision>),
}

/// What to do about a signal.
enum Plan {
    /// Take this step, and nothing else for now.
    Step(Step),
    /// Isolate this endpoint.
    Isolate { target: Target, hold: Option<Duration> },
}

impl<T, O, N> Engine<T, O, N>
where
    T: Transport + 'static,
    O: Objects,
    N: Outcomes,
{
    /// Judges a decision that nobody is working on, and claims it.
    pub(super) async fn prepare(
        &self,
        policy: &Policy,
        id: &DecisionId,
        mark: &str,
        stop_at: Option<Duration>,
    ) -> Result<Prepared, EngineError> {
        for _ in 0..ROUNDS {
            let Some(mut decision) = self.ledger.decision(id).await? else { return Ok(Prepared::Unknown) };
            let now = self.now();
            let open = match decision.state() {
                State::Received | State::Approved => true,
                State::Deferred => retry_at(&decision).is_none_or(|at| at <= now.as_secs()),
                State::Claimed => decision.claim().is_none_or(|claim| claim.lease_until <= now.as_secs()),
                _ => false,
            };
            let (true, Some(received)) = (open, decision.received()) else {
                return Ok(Prepared::Settled(decision));
            };
            let signal = received.signal.clone();
            let plan = match policy.source(&received.source) {
                Some(source) => self.plan(policy, source, &signal, &decision, stop_at).await,
                None => Ok(Plan::Step(refused("no_source", "the policy no longer has this source", None))),
            };
            let step = match plan {
                Ok(Plan::Step(step)) => step,
                Ok(Plan::Isolate { target, hold }) => {
                    match self.claim(policy, &decision, target, hold, mark, stop_at).await {
                        Ok(Ok(claim)) => {
                            let slots = claim.slots.clone();
                            if self.ledger.take(&mut decision, Step::Claimed(Box::new(claim)), now).await? {
                                return self.claimed(decision).await;
                            }
                            // Another run was quicker; its claim has its own.
                            self.give_back(&slots, &decision).await?;
                            continue;
                        }
                        Ok(Err(step)) => step,
                        Err(EngineError::Service(error)) => self.put_off(&decision, &error, now),
                        Err(error) => return Err(error),
                    }
                }
                Err(EngineError::Service(error)) => self.put_off(&decision, &error, now),
                Err(error) => return Err(error),
            };
            if self.step(&mut decision, step).await? {
                return Ok(Prepared::Settled(decision));
            }
        }
        // Others are at work on it, step after step.
        match self.ledger.decision(id).await? {
            Some(decision) => Ok(Prepared::Settled(decision)),
            None => Ok(Prepared::Unknown),
        }
    }

    /// Takes a step, with the reminder that goes with it first. Says whether it
    /// was taken.
    pub(super) async fn step(&self, decision: &mut Decision, step: Step) -> Result<bool, EngineError> {
        let now = self.now();
        match &step {
            Step::Deferred { retry_at: at, .. } | Step::Waiting { until: at, .. } => {
                self.ledger.remind(decision.id(), *at).await?;
            }
            _ => {}
        }
        Ok(self.ledger.take(decision, step, now).await?)
    }

    /// The step for a failure of the service: again later, or given up.
    pub(super) fn put_off(&self, decision: &Decision, error: &sophos_api::Error, now: Duration) -> Step {
        self.note(error);
        let age = now.saturating_sub(Duration::from_millis(decision.began_ms()));
        if is_lasting(error) || age >= GIVE_UP {
            return Step::Failed { detail: error.to_string() };
        }
        let wait = 30_u64.saturating_mul(1 << decision.deferrals().min(10)).min(LONGEST_DEFERRAL);
        let asked = error.retry_after().map_or(0, |wait| wait.as_secs());
        Step::Deferred { detail: error.to_string(), retry_at: now.as_secs() + wait.max(asked) }
    }

    async fn plan(
        &self,
        policy: &Policy,
        source: &Source,
        signal: &Signal,
        decision: &Decision,
        stop_at: Option<Duration>,
    ) -> Result<Plan, EngineError> {
        let tenants = match policy.admit(source, signal) {
            Ok(tenants) => tenants,
            Err(refusal) => return Ok(Plan::Step(refused(refusal.code(), &refusal.to_string(), None))),
        };
        let identity = match Identity::read(&signal.host) {
            Ok(identity) => identity,
            Err(why) => return Ok(unresolved(&Unresolved::Unusable { why })),
        };
        let (tenant, endpoint) = match self.resolve(policy, &tenants, &identity, stop_at).await? {
            Ok(found) => found,
            Err(why) => return Ok(unresolved(&why)),
        };
        let target = target(&tenant, &endpoint);
        if signal.action == Action::Release {
            return self.forward_release(target, source).await.map(Plan::Step);
        }
        let approved = decision.is_approved();
        if approved && decision.target().is_some_and(|before| !before.is_same(&target)) {
            let detail = "the host is another endpoint by now than the one that was approved";
            return Ok(Plan::Step(refused("target_changed", detail, Some(target))));
        }
        Ok(match policy.judge(source, signal, &Subject::of(&endpoint)) {
            Verdict::Refuse(refusal) => {
                Plan::Step(refused(refusal.code(), &refusal.to_string(), Some(target)))
            }
            Verdict::Rehearse { approval, release_after } => Plan::Step(Step::Rehearsed {
                target,
                approval: approval.is_some(),
                hold_seconds: release_after.map(|hold| hold.as_secs()),
            }),
            Verdict::WaitForApproval { why, within, .. } if !approved => {
                let until = self.now().as_secs() + within.as_secs();
                Plan::Step(Step::Waiting { target, why, until })
            }
            Verdict::WaitForApproval { release_after: hold, .. }
            | Verdict::Isolate { release_after: hold } => Plan::Isolate { target, hold },
        })
    }

    /// Takes what an isolation needs before it is called for, or says what is
    /// done instead.
    async fn claim(
        &self,
        policy: &Policy,
        decision: &Decision,
        target: Target,
        hold: Option<Duration>,
        mark: &str,
        stop_at: Option<Duration>,
    ) -> Result<Result<Claim, Step>, EngineError> {
        let tenant = self.tenant(&TenantId::from(target.tenant.as_str()), stop_at).await?;
        let state = tenant.send(&GetIsolation { endpoint_id: target.endpoint.clone() }).await?;
        let now = self.now();
        let mut claim = Claim {
            target,
            policy: policy.digest().to_owned(),
            lease_until: (now + LEASE).as_secs(),
            mark: mark.to_owned(),
            hold_seconds: hold.map(|hold| hold.as_secs()),
            slots: Vec::new(),
            joined: None,
        };
        // An earlier run of this decision may have had its slots already.
        let before = decision.claim().filter(|before| before.target.is_same(&claim.target));
        if let Some(before) = before {
            claim.slots.clone_from(&before.slots);
        }
        if state.enabled == Some(true) {
            let comment = state.comment.as_deref().unwrap_or_default();
            if let Some(before) = before.filter(|before| comment.contains(&before.mark)) {
                claim.mark.clone_from(&before.mark);
                claim.joined = Some(Asked::FoundDone);
            } else if let Some(other) = self.holder_with_mark(&claim.target, decision.id(), comment).await? {
                claim.mark = other;
                claim.joined = Some(Asked::Joined);
            } else {
                return Ok(Err(Step::AlreadyIsolated { target: claim.target, comment: clean(comment) }));
            }
        }
        self.hold(&claim.target, decision.id()).await?;
        if claim.joined.is_none() && claim.slots.is_empty() {
            match self.take_slots(policy, decision, &claim.target, &tenant).await? {
                Ok(slots) => claim.slots = slots,
                Err(full) => {
                    return Ok(Err(refused(full.code(), &full.to_string(), Some(claim.target))));
                }
            }
        }
        Ok(Ok(claim))
    }

    /// A claimed decision goes on to the call, unless there is none to make.
    async fn claimed(&self, mut decision: Decision) -> Result<Prepared, EngineError> {
        match decision.claim().and_then(|claim| claim.joined) {
            Some(how) => {
                self.step(&mut decision, Step::Requested { how, mark: None }).await?;
                Ok(Prepared::Settled(decision))
            }
            None => Ok(Prepared::Ready(Box::new(decision))),
        }
    }
}

/// The step for a message that asks for nothing.
pub(crate) fn not_actionable(why: NotActionable) -> Step {
    let code = serde_json::to_value(why).ok().and_then(|code| code.as_str().map(str::to_owned));
    refused(code.as_deref().unwrap_or("not_actionable"), why.sentence(), None)
}

pub(super) fn refused(code: &str, detail: &str, target: Option<Target>) -> Step {
    Step::Refused { code: code.to_owned(), detail: detail.to_owned(), target }
}

fn unresolved(why: &Unresolved) -> Plan {
    Plan::Step(refused(why.code(), &why.to_string(), None))
}

fn target(tenant: &str, endpoint: &Record<Endpoint>) -> Target {
    Target {
        tenant: tenant.to_ascii_lowercase(),
        endpoint: endpoint.id.to_ascii_lowercase(),
        hostname: endpoint.hostname.as_deref().map(clean),
    }
}

fn retry_at(decision: &Decision) -> Option<u64> {
    match decision.entries().last()?.step {
        Step::Deferred { retry_at, .. } => Some(retry_at),
        _ => None,
    }
}
