//! From a signal to an endpoint that may be isolated, or to the reason why
//! nothing is.

use std::time::Duration;

use sophos_api::{
    Caller, ErrorKind, Record, TenantId, Transport, models::Endpoint, operations::isolation::GetIsolation,
};

use super::{
    Engine, EngineError, GIVE_UP, consider::Judgement, hold::Account, is_lasting, lookup::AlertTimes,
};
use crate::{
    decision::{Asked, Claim, Decision, DecisionId, State, Step, Target},
    ledger::Objects,
    outcome::Outcomes,
    policy::{Policy, Refusal, Source, Verdict},
    signal::{Signal, clean},
    slots::Taken,
};

/// The shortest time between two attempts.
const SHORTEST_DEFERRAL: u64 = 30;

/// The longest time between two attempts.
const LONGEST_DEFERRAL: u64 = 600;

/// Why a decision waits for another.
pub(super) const RELEASING: &str = "another decision is about to release the endpoint";

/// The code of a refusal by the emergency stop.
pub(super) const STOPPED: &str = "stopped";

/// The longest time that the service may ask for, in seconds.
const LONGEST_RETRY_AFTER: u64 = 3_600;

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

impl Plan {
    /// The endpoint that it would have isolated, at once or after approval.
    fn isolates(&self) -> Option<&Target> {
        match self {
            Self::Isolate { target, .. } | Self::Step(Step::Waiting { target, .. }) => Some(target),
            Self::Step(_) => None,
        }
    }
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
        // The endpoint that this run has marked as held.
        let mut held = None;
        for _ in 0..ROUNDS {
            let Some(mut decision) = self.ledger.decision(id).await? else { return Ok(Prepared::Unknown) };
            let now = self.now();
            let open = match decision.state() {
                State::Received | State::Approved => true,
                State::Deferred => retry_at(&decision).is_none_or(|at| at <= now.as_secs()),
                State::Claimed => decision.claim().is_none_or(|claim| claim.lease_until <= now.as_secs()),
                // A person may have answered by a link.
                State::Waiting if self.ledger.take_submitted(&mut decision, now).await? => {
                    decision.state() == State::Approved
                }
                _ => false,
            };
            let (true, Some(received)) = (open, decision.received()) else {
                return self.settled(decision, held).await;
            };
            let signal = received.signal.clone();
            // What an earlier run has called for comes before any new judgement.
            let plan = match self.has_called(&decision, stop_at).await {
                Ok(true) => Ok(Plan::Step(Step::Requested { how: Asked::FoundDone, mark: None })),
                Ok(false) => match policy.source(&received.source) {
                    Some(source) => self.plan(policy, source, &signal, &decision, stop_at).await,
                    None => Ok(Plan::Step(self.without_source(policy, &received.source, &decision))),
                },
                Err(error) => Err(error),
            };
            let mut taken = Vec::new();
            let chosen = plan.as_ref().ok().and_then(Plan::isolates).cloned();
            held = chosen.clone().or(held);
            let plan = match (plan, &chosen) {
                (Ok(plan), Some(target)) => {
                    // Before the episode is read: whoever ends it meanwhile finds
                    // this decision too.
                    self.hold(target, id).await?;
                    let instead = self.open_episode(policy, &decision, target).await?;
                    Ok(instead.map_or(plan, Plan::Step))
                }
                (plan, _) => plan,
            };
            let mut step = match plan {
                Ok(Plan::Step(step)) => Ok(step),
                Ok(Plan::Isolate { target, hold }) => {
                    self.claim(policy, &decision, target, hold, mark, &mut taken, stop_at).await
                }
                Err(error) => Err(error),
            };
            if let Err(EngineError::Service(error)) = &step {
                step = Ok(self.put_off(&decision, error, now));
            }
            let mut step = step?;
            if let Step::Deferred { target, .. } = &mut step {
                target.clone_from(&chosen);
            }
            let is_claim = matches!(step, Step::Claimed(_));
            let is_taken = self.step(&mut decision, step).await?;
            // Of what another run was quicker at, its claim has its own.
            if !(is_claim && is_taken) {
                self.give_back_unclaimed(&taken, id).await?;
            }
            match (is_taken, is_claim) {
                (true, true) => return self.claimed(decision).await,
                (true, false) => return self.settled(decision, held).await,
                (false, _) => {}
            }
        }
        // Others are at work on it, step after step.
        match self.ledger.decision(id).await? {
            Some(decision) => Ok(Prepared::Settled(decision)),
            None => Ok(Prepared::Unknown),
        }
    }

    /// There is nothing to call for. A decision that has ended may name no
    /// endpoint, by which the mark of this run would be removed.
    async fn settled(&self, decision: Decision, held: Option<Target>) -> Result<Prepared, EngineError> {
        if let (true, Some(target)) = (decision.state().is_final(), held) {
            self.unhold(&target, decision.id()).await?;
        }
        Ok(Prepared::Settled(decision))
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
        let age = now.saturating_sub(Duration::from_millis(decision.open_since_ms()));
        if is_lasting(error) || age >= GIVE_UP {
            return Step::Failed { detail: error.to_string() };
        }
        let wait = SHORTEST_DEFERRAL.saturating_mul(1 << decision.deferrals().min(10)).min(LONGEST_DEFERRAL);
        let asked = error.retry_after().map_or(0, |wait| wait.as_secs()).min(LONGEST_RETRY_AFTER);
        Step::Deferred { detail: error.to_string(), retry_at: now.as_secs() + wait.max(asked), target: None }
    }

    /// The step for a decision whose source the policy does not have: later,
    /// while a mistake disables the source, or there is no policy.
    fn without_source(&self, policy: &Policy, source: &str, decision: &Decision) -> Step {
        let now = self.now();
        let age = now.saturating_sub(Duration::from_millis(decision.open_since_ms()));
        let (code, cause) = match policy.disabled_source(source) {
            Some(disabled) => {
                ("source_disabled", format!("a mistake in the policy disables the source: {disabled}"))
            }
            None if policy.is_absent() => ("no_policy", "there is no valid policy".to_owned()),
            None => return refused("no_source", "the policy no longer has this source", None),
        };
        if age >= GIVE_UP {
            return refused(code, &clean(&cause), None);
        }
        Step::Deferred { detail: clean(&cause), retry_at: now.as_secs() + LONGEST_DEFERRAL, target: None }
    }

    async fn plan(
        &self,
        policy: &Policy,
        source: &Source,
        signal: &Signal,
        decision: &Decision,
        stop_at: Option<Duration>,
    ) -> Result<Plan, EngineError> {
        // Its age counts until a person was asked, who may take longer.
        let asked = decision.asked_ms().filter(|_| decision.is_approved()).map(Duration::from_millis);
        let received = Duration::from_millis(decision.began_ms());
        let times = AlertTimes::of(signal, received, asked.unwrap_or_else(|| self.now()));
        let permit = decision.id().as_str();
        let (judgement, _) = self.consider(policy, source, signal, times, permit, stop_at).await?;
        let (target, verdict) = match judgement {
            // One that was tried and failed for so long is no refusal.
            Judgement::NotAdmitted(refusal @ Refusal::TooOld { .. }) if decision.deferrals() > 0 => {
                return Ok(Plan::Step(Step::Failed { detail: refusal.to_string() }));
            }
            Judgement::NotAdmitted(refusal) => {
                return Ok(Plan::Step(refused(refusal.code(), &refusal.to_string(), None)));
            }
            Judgement::Unresolved(why) => {
                return Ok(Plan::Step(refused(why.code(), &why.to_string(), None)));
            }
            // The hour's lookups do not end what an outage has put off.
            Judgement::LookupBudget(full) if decision.deferrals() > 0 => {
                let retry_at = (self.now().as_secs() / 3_600 + 1) * 3_600;
                let detail = full.to_string();
                return Ok(Plan::Step(Step::Deferred { detail, retry_at, target: None }));
            }
            Judgement::LookupBudget(full) => {
                return Ok(Plan::Step(refused(full.code(), &full.to_string(), None)));
            }
            Judgement::Release(target) => return self.forward_release(target, source).await.map(Plan::Step),
            Judgement::Isolate(target, verdict) => (target, verdict),
        };
        let approved = decision.is_approved();
        if approved && decision.target().is_some_and(|before| !before.is_same(&target)) {
            let detail = "the host is another endpoint by now than the one that was approved";
            return Ok(Plan::Step(refused("target_changed", detail, Some(target))));
        }
        Ok(match verdict {
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

    /// Whether the call of an earlier run of this decision was carried out.
    async fn has_called(&self, decision: &Decision, stop_at: Option<Duration>) -> Result<bool, EngineError> {
        let Some(claim) = decision.claim() else { return Ok(false) };
        let tenant = self.tenant(&TenantId::from(claim.target.tenant.as_str()), stop_at).await?;
        match tenant.send(&GetIsolation { endpoint_id: claim.target.endpoint.clone() }).await {
            Ok(state) => {
                let comment = state.comment.as_deref().unwrap_or_default();
                Ok(state.enabled == Some(true) && decision.has_called(comment))
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Takes what an isolation needs before it is called for: the claim, or what
    /// is done instead. The slots it took are in `taken`.
    #[expect(clippy::too_many_arguments, reason = "each is a thing of its own")]
    async fn claim(
        &self,
        policy: &Policy,
        decision: &Decision,
        target: Target,
        hold: Option<Duration>,
        mark: &str,
        taken: &mut Vec<Taken>,
        stop_at: Option<Duration>,
    ) -> Result<Step, EngineError> {
        if let Some(stop) = self.ledger.stop().await? {
            return Ok(refused(STOPPED, &stop.to_string(), Some(target)));
        }
        let tenant = self.tenant(&TenantId::from(target.tenant.as_str()), stop_at).await?;
        let state = tenant.send(&GetIsolation { endpoint_id: target.endpoint.clone() }).await?;
        let now = self.now();
        let mut claim = Claim {
            target,
            policy: policy.digest().to_owned(),
            lease_until: (now + self.lease).as_secs(),
            mark: mark.to_owned(),
            hold_seconds: hold.map(|hold| hold.as_secs()),
            slots: Vec::new(),
            joined: None,
        };
        // An earlier run of this decision may have had its slots already.
        if let Some(before) = decision.claim().filter(|before| before.target.tenant == claim.target.tenant) {
            claim.slots.clone_from(&before.slots);
        }
        if state.enabled == Some(true) {
            let comment = state.comment.as_deref().unwrap_or_default();
            match self.on_account(&claim.target, decision.id(), comment).await? {
                Account::Holds { mark } => {
                    claim.mark = mark;
                    claim.joined = Some(Asked::Joined);
                }
                Account::Releases => return Ok(self.soon(RELEASING)),
                Account::Foreign => {
                    return Ok(Step::AlreadyIsolated {
                        target: claim.target,
                        comment: clean(&tenant.scrub(comment)),
                    });
                }
            }
        }
        if claim.slots.is_empty() {
            let joins = claim.joined.is_some();
            // To hold what another has isolated for longer takes a permit as well.
            let permit = match joins {
                true => self.take_slots_of_hour(policy, decision, &claim.target, taken).await?,
                false => self.take_slots(policy, decision, &claim.target, &tenant, taken).await?,
            };
            if let Err(full) = permit {
                // Another decision may have the slot for this very endpoint: then
                // this one joins it.
                let others = self.others(&claim.target, decision.id()).await?;
                if !joins && others.iter().any(may_have_slot) {
                    return Ok(self.soon("another decision is about to isolate the endpoint"));
                }
                return Ok(refused(full.code(), &full.to_string(), Some(claim.target)));
            }
            claim.slots = taken.iter().map(|slot| slot.path.clone()).collect();
        }
        Ok(Step::Claimed(Box::new(claim)))
    }

    /// Puts a decision off for a moment, because of what another is doing.
    pub(super) fn soon(&self, detail: &str) -> Step {
        let retry_at = self.now().as_secs() + SHORTEST_DEFERRAL;
        Step::Deferred { detail: detail.to_owned(), retry_at, target: None }
    }

    /// A claimed decision goes on to the call, unless there is none to make.
    async fn claimed(&self, mut decision: Decision) -> Result<Prepared, EngineError> {
        let joined = decision.claim().filter(|claim| claim.joined.is_some()).cloned();
        let Some(claim) = joined else { return Ok(Prepared::Ready(Box::new(decision))) };
        // The other may have begun to release before it could see this claim.
        let step = match self.on_account(&claim.target, decision.id(), &claim.mark).await? {
            Account::Holds { .. } => Step::Requested { how: Asked::Joined, mark: None },
            Account::Releases | Account::Foreign => self.soon(RELEASING),
        };
        self.step(&mut decision, step).await?;
        Ok(Prepared::Settled(decision))
    }
}

pub(super) fn refused(code: &str, detail: &str, target: Option<Target>) -> Step {
    Step::Refused { code: code.to_owned(), detail: detail.to_owned(), target }
}

pub(super) fn target(tenant: &str, endpoint: &Record<Endpoint>) -> Target {
    Target {
        tenant: tenant.to_ascii_lowercase(),
        endpoint: endpoint.id.to_ascii_lowercase(),
        hostname: endpoint.hostname.as_deref().map(clean),
    }
}

/// Whether another decision about an endpoint has its slots, or may be at the
/// point of taking them.
fn may_have_slot(other: &Decision) -> bool {
    other.claim().is_some() || matches!(other.state(), State::Received | State::Approved)
}

fn retry_at(decision: &Decision) -> Option<u64> {
    match decision.entries().last()?.step {
        Step::Deferred { retry_at, .. } => Some(retry_at),
        _ => None,
    }
}
