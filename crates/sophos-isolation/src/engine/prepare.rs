//! From a signal to an endpoint that may be isolated, or to the reason why
//! nothing is.

use std::time::Duration;

use sophos_api::{
    ApiClient, ErrorKind, TenantId, Transport, WithRaw, models::Endpoint, operations::isolation::GetIsolation,
};

use super::{
    Engine, EngineError, GIVE_UP_AFTER, claim::IsolationOwner, evaluate::Evaluation, is_permanent,
    lookup::AlertTimes,
};
use crate::{
    decision::{Claim, Decision, DecisionId, DecisionState, IsolationOrigin, IsolationTarget, Transition},
    ledger::LedgerStore,
    outcome::OutcomePublisher,
    permits::Permit,
    policy::{Policy, Refusal, Source, Verdict},
    signal::{Signal, clean},
};

/// The shortest time between two attempts.
const MIN_DEFERRAL_SECONDS: u64 = 30;

/// The longest time between two attempts.
const MAX_DEFERRAL_SECONDS: u64 = 600;

/// Why a decision waits for another.
pub(super) const RELEASING_DETAIL: &str = "another decision is about to release the endpoint";

/// The code of a refusal by the emergency stop.
pub(super) const STOPPED_CODE: &str = "stopped";

/// The longest time that the service may ask for, in seconds.
const MAX_RETRY_AFTER_SECONDS: u64 = 3_600;

/// How often a decision is read again because another run took a step.
const MAX_ATTEMPTS: usize = 8;

pub(super) enum Prepared {
    /// There is no decision of this id.
    Unknown,
    /// There is nothing to call for, now or at all.
    NothingToDo(Decision),
    /// It is claimed: the call comes next.
    Ready(Box<Decision>),
}

/// What to do about a signal.
enum Plan {
    /// Take this step, and nothing else for now.
    Transition(Transition),
    /// Isolate this endpoint.
    Isolate { target: IsolationTarget, release_after: Option<Duration> },
}

impl Plan {
    /// The endpoint that it would have isolated, at once or after approval.
    fn isolation_target(&self) -> Option<&IsolationTarget> {
        match self {
            Self::Isolate { target, .. } | Self::Transition(Transition::PendingApproval { target, .. }) => {
                Some(target)
            }
            Self::Transition(_) => None,
        }
    }
}

impl<T, O, N> Engine<T, O, N>
where
    T: Transport + 'static,
    O: LedgerStore,
    N: OutcomePublisher,
{
    /// Judges a decision that nobody is working on, and claims it.
    pub(super) async fn prepare(
        &self,
        policy: &Policy,
        id: &DecisionId,
        comment_tag: &str,
        deadline: Option<Duration>,
    ) -> Result<Prepared, EngineError> {
        // The endpoint that this run has marked as held.
        let mut held = None;
        for _ in 0..MAX_ATTEMPTS {
            let Some(mut decision) = self.ledger.load_decision(id).await? else {
                return Ok(Prepared::Unknown);
            };
            let now = self.now();
            let open = match decision.state() {
                DecisionState::Received | DecisionState::Approved => true,
                DecisionState::Deferred => retry_at(&decision).is_none_or(|at| at <= now.as_secs()),
                DecisionState::Claimed => {
                    decision.claim().is_none_or(|claim| claim.lease_until <= now.as_secs())
                }
                // A person may have answered by a link.
                DecisionState::PendingApproval
                    if self.ledger.apply_submitted_answer(&mut decision, now).await? =>
                {
                    decision.state() == DecisionState::Approved
                }
                _ => false,
            };
            let (true, Some(received)) = (open, decision.received()) else {
                return self.nothing_to_do(decision, held).await;
            };
            let signal = received.signal.clone();
            // What an earlier run has called for comes before any new judgement.
            let plan = match self.was_own_call_applied(&decision, deadline).await {
                Ok(true) => Ok(Plan::Transition(Transition::Requested {
                    origin: IsolationOrigin::AlreadyApplied,
                    comment_tag: None,
                })),
                Ok(false) => match policy.source(&received.source) {
                    Some(source) => self.plan(policy, source, &signal, &decision, deadline).await,
                    None => Ok(Plan::Transition(self.transition_without_source(
                        policy,
                        &received.source,
                        &decision,
                    ))),
                },
                Err(error) => Err(error),
            };
            let mut taken = Vec::new();
            let chosen = plan.as_ref().ok().and_then(Plan::isolation_target).cloned();
            held = chosen.clone().or(held);
            let plan = match (plan, &chosen) {
                (Ok(plan), Some(target)) => {
                    // Before the episode is read: whoever ends it meanwhile finds
                    // this decision too.
                    self.claim_endpoint(target, id).await?;
                    let instead = self.open_episode(policy, &decision, target).await?;
                    Ok(instead.map_or(plan, Plan::Transition))
                }
                (plan, _) => plan,
            };
            let mut step = match plan {
                Ok(Plan::Transition(step)) => Ok(step),
                Ok(Plan::Isolate { target, release_after: hold }) => {
                    self.prepare_claim(policy, &decision, target, hold, comment_tag, &mut taken, deadline)
                        .await
                }
                Err(error) => Err(error),
            };
            if let Err(EngineError::Service(error)) = &step {
                step = Ok(self.defer(&decision, error, now));
            }
            let mut step = step?;
            if let Transition::Deferred { target, .. } = &mut step {
                target.clone_from(&chosen);
            }
            let is_claim = matches!(step, Transition::Claimed(_));
            let is_taken = self.record_transition(&mut decision, step).await?;
            // Of what another run was quicker at, its claim has its own.
            if !(is_claim && is_taken) {
                self.release_unclaimed_permits(&taken, id).await?;
            }
            match (is_taken, is_claim) {
                (true, true) => return self.continue_claimed(decision).await,
                (true, false) => return self.nothing_to_do(decision, held).await,
                (false, _) => {}
            }
        }
        // Others are at work on it, step after step.
        match self.ledger.load_decision(id).await? {
            Some(decision) => Ok(Prepared::NothingToDo(decision)),
            None => Ok(Prepared::Unknown),
        }
    }

    /// There is nothing to call for. A decision that has ended may name no
    /// endpoint, by which the mark of this run would be removed.
    async fn nothing_to_do(
        &self,
        decision: Decision,
        held: Option<IsolationTarget>,
    ) -> Result<Prepared, EngineError> {
        if let (true, Some(target)) = (decision.state().is_final(), held) {
            self.unclaim_endpoint(&target, decision.id()).await?;
        }
        Ok(Prepared::NothingToDo(decision))
    }

    /// Takes a step, with the reminder that goes with it first. Says whether it
    /// was taken.
    pub(super) async fn record_transition(
        &self,
        decision: &mut Decision,
        step: Transition,
    ) -> Result<bool, EngineError> {
        let now = self.now();
        match &step {
            Transition::Deferred { retry_at: at, .. }
            | Transition::PendingApproval { expires_at: at, .. } => {
                self.ledger.schedule_follow_up(decision.id(), *at).await?;
            }
            _ => {}
        }
        Ok(self.ledger.append_transition(decision, step, now).await?)
    }

    /// The step for a failure of the service: again later, or given up.
    pub(super) fn defer(&self, decision: &Decision, error: &sophos_api::Error, now: Duration) -> Transition {
        let age = now.saturating_sub(Duration::from_millis(decision.actionable_since_ms()));
        if is_permanent(error) || age >= GIVE_UP_AFTER {
            return Transition::Failed { detail: error.to_string() };
        }
        let wait = MIN_DEFERRAL_SECONDS
            .saturating_mul(1 << decision.deferral_count().min(10))
            .min(MAX_DEFERRAL_SECONDS);
        let asked = error.retry_after().map_or(0, |wait| wait.as_secs()).min(MAX_RETRY_AFTER_SECONDS);
        Transition::Deferred {
            detail: error.to_string(),
            retry_at: now.as_secs() + wait.max(asked),
            target: None,
        }
    }

    /// The step for a decision whose source the policy does not have: later,
    /// while a mistake disables the source, or there is no policy.
    fn transition_without_source(&self, policy: &Policy, source: &str, decision: &Decision) -> Transition {
        let now = self.now();
        let age = now.saturating_sub(Duration::from_millis(decision.actionable_since_ms()));
        let (code, cause) = match policy.disabled_source(source) {
            Some(disabled) => {
                ("source_disabled", format!("a mistake in the policy disables the source: {disabled}"))
            }
            None if policy.is_absent() => ("no_policy", "there is no valid policy".to_owned()),
            None => return refused("no_source", "the policy no longer has this source", None),
        };
        if age >= GIVE_UP_AFTER {
            return refused(code, &clean(&cause), None);
        }
        Transition::Deferred {
            detail: clean(&cause),
            retry_at: now.as_secs() + MAX_DEFERRAL_SECONDS,
            target: None,
        }
    }

    async fn plan(
        &self,
        policy: &Policy,
        source: &Source,
        signal: &Signal,
        decision: &Decision,
        deadline: Option<Duration>,
    ) -> Result<Plan, EngineError> {
        // Its age counts until a person was asked, who may take longer.
        let asked =
            decision.approval_requested_at_ms().filter(|_| decision.is_approved()).map(Duration::from_millis);
        let received = Duration::from_millis(decision.created_at_ms());
        let times = AlertTimes::new(signal, received, asked.unwrap_or_else(|| self.now()));
        let permit = decision.id().as_str();
        let (judgement, _) = self.evaluate(policy, source, signal, times, permit, deadline).await?;
        let (target, verdict) = match judgement {
            // One that was tried and failed for so long is no refusal.
            Evaluation::NotAdmitted(refusal @ Refusal::TooOld { .. }) if decision.deferral_count() > 0 => {
                return Ok(Plan::Transition(Transition::Failed { detail: refusal.to_string() }));
            }
            Evaluation::NotAdmitted(refusal) => {
                return Ok(Plan::Transition(refused(refusal.code(), &refusal.to_string(), None)));
            }
            Evaluation::Unresolved(why) => {
                return Ok(Plan::Transition(refused(why.code(), &why.to_string(), None)));
            }
            // The hour's lookups do not end what an outage has put off.
            Evaluation::LookupBudget(full) if decision.deferral_count() > 0 => {
                let retry_at = (self.now().as_secs() / 3_600 + 1) * 3_600;
                let detail = full.to_string();
                return Ok(Plan::Transition(Transition::Deferred { detail, retry_at, target: None }));
            }
            Evaluation::LookupBudget(full) => {
                return Ok(Plan::Transition(refused(full.code(), &full.to_string(), None)));
            }
            Evaluation::Release(target) => {
                return self.delegate_release(target, source).await.map(Plan::Transition);
            }
            Evaluation::Isolate(target, verdict) => (target, verdict),
        };
        let approved = decision.is_approved();
        if approved && decision.target().is_some_and(|before| !before.is_same_endpoint(&target)) {
            let detail = "the host is another endpoint by now than the one that was approved";
            return Ok(Plan::Transition(refused("target_changed", detail, Some(target))));
        }
        Ok(match verdict {
            Verdict::Refuse(refusal) => {
                Plan::Transition(refused(refusal.code(), &refusal.to_string(), Some(target)))
            }
            Verdict::DryRun { approval_reason: approval, release_after } => {
                Plan::Transition(Transition::DryRun {
                    target,
                    requires_approval: approval.is_some(),
                    release_after_seconds: release_after.map(|hold| hold.as_secs()),
                })
            }
            Verdict::WaitForApproval { reason: why, timeout: within, .. } if !approved => {
                let until = self.now().as_secs() + within.as_secs();
                Plan::Transition(Transition::PendingApproval { target, reason: why, expires_at: until })
            }
            Verdict::WaitForApproval { release_after: hold, .. }
            | Verdict::Isolate { release_after: hold } => Plan::Isolate { target, release_after: hold },
        })
    }

    /// Whether the call of an earlier run of this decision was carried out.
    async fn was_own_call_applied(
        &self,
        decision: &Decision,
        deadline: Option<Duration>,
    ) -> Result<bool, EngineError> {
        let Some(claim) = decision.claim() else { return Ok(false) };
        let tenant = self.tenant(&TenantId::from(claim.target.tenant.as_str()), deadline).await?;
        match tenant.send(&GetIsolation::new(claim.target.endpoint.as_str())).await {
            Ok(state) => {
                let comment = state.comment.as_deref().unwrap_or_default();
                Ok(state.enabled == Some(true) && decision.has_own_tag(comment))
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Takes what an isolation needs before it is called for: the claim, or what
    /// is done instead. The slots it took are in `taken`.
    #[expect(clippy::too_many_arguments, reason = "each is a thing of its own")]
    async fn prepare_claim(
        &self,
        policy: &Policy,
        decision: &Decision,
        target: IsolationTarget,
        release_after: Option<Duration>,
        comment_tag: &str,
        permits: &mut Vec<Permit>,
        deadline: Option<Duration>,
    ) -> Result<Transition, EngineError> {
        if let Some(stop) = self.ledger.load_emergency_stop().await? {
            return Ok(refused(STOPPED_CODE, &stop.to_string(), Some(target)));
        }
        let tenant = self.tenant(&TenantId::from(target.tenant.as_str()), deadline).await?;
        let state = tenant.send(&GetIsolation::new(target.endpoint.as_str())).await?;
        let now = self.now();
        let mut claim = Claim {
            target,
            policy_digest: policy.digest().to_owned(),
            lease_until: (now + self.lease).as_secs(),
            comment_tag: comment_tag.to_owned(),
            release_after_seconds: release_after.map(|hold| hold.as_secs()),
            permits: Vec::new(),
            origin: None,
        };
        // An earlier run of this decision may have had its slots already.
        if let Some(before) = decision.claim().filter(|before| before.target.tenant == claim.target.tenant) {
            claim.permits.clone_from(&before.permits);
        }
        if state.enabled == Some(true) {
            let comment = state.comment.as_deref().unwrap_or_default();
            match self.isolation_owner(&claim.target, decision.id(), comment).await? {
                IsolationOwner::Decision { comment_tag: mark } => {
                    claim.comment_tag = mark;
                    claim.origin = Some(IsolationOrigin::Shared);
                }
                IsolationOwner::Releasing => return Ok(self.defer_briefly(RELEASING_DETAIL)),
                IsolationOwner::External => {
                    return Ok(Transition::AlreadyIsolated {
                        target: claim.target,
                        comment: clean(&tenant.scrub(comment)),
                    });
                }
            }
        }
        if claim.permits.is_empty() {
            let joins = claim.origin.is_some();
            // To hold what another has isolated for longer takes a permit as well.
            let permit = match joins {
                true => self.acquire_hourly_permits(policy, decision, &claim.target, permits).await?,
                false => self.acquire_permits(policy, decision, &claim.target, &tenant, permits).await?,
            };
            if let Err(full) = permit {
                // Another decision may have the slot for this very endpoint: then
                // this one joins it.
                let others = self.other_claimants(&claim.target, decision.id()).await?;
                if !joins && others.iter().any(may_hold_permits) {
                    return Ok(self.defer_briefly("another decision is about to isolate the endpoint"));
                }
                return Ok(refused(full.code(), &full.to_string(), Some(claim.target)));
            }
            claim.permits = permits.iter().map(|slot| slot.path.clone()).collect();
        }
        Ok(Transition::Claimed(Box::new(claim)))
    }

    /// Puts a decision off for a moment, because of what another is doing.
    pub(super) fn defer_briefly(&self, detail: &str) -> Transition {
        let retry_at = self.now().as_secs() + MIN_DEFERRAL_SECONDS;
        Transition::Deferred { detail: detail.to_owned(), retry_at, target: None }
    }

    /// A claimed decision goes on to the call, unless there is none to make.
    async fn continue_claimed(&self, mut decision: Decision) -> Result<Prepared, EngineError> {
        let joined = decision.claim().filter(|claim| claim.origin.is_some()).cloned();
        let Some(claim) = joined else { return Ok(Prepared::Ready(Box::new(decision))) };
        // The other may have begun to release before it could see this claim.
        let step = match self.isolation_owner(&claim.target, decision.id(), &claim.comment_tag).await? {
            IsolationOwner::Decision { .. } => {
                Transition::Requested { origin: IsolationOrigin::Shared, comment_tag: None }
            }
            IsolationOwner::Releasing | IsolationOwner::External => self.defer_briefly(RELEASING_DETAIL),
        };
        self.record_transition(&mut decision, step).await?;
        Ok(Prepared::NothingToDo(decision))
    }
}

pub(super) fn refused(code: &str, detail: &str, target: Option<IsolationTarget>) -> Transition {
    Transition::Refused { code: code.to_owned(), detail: detail.to_owned(), target }
}

pub(super) fn isolation_target(tenant: &str, endpoint: &WithRaw<Endpoint>) -> IsolationTarget {
    IsolationTarget {
        tenant: tenant.to_ascii_lowercase(),
        endpoint: endpoint.id.to_ascii_lowercase(),
        hostname: endpoint.hostname.as_deref().map(clean),
    }
}

/// Whether another decision about an endpoint has its slots, or may be at the
/// point of taking them.
fn may_hold_permits(other: &Decision) -> bool {
    other.claim().is_some() || matches!(other.state(), DecisionState::Received | DecisionState::Approved)
}

fn retry_at(decision: &Decision) -> Option<u64> {
    match decision.entries().last()?.transition {
        Transition::Deferred { retry_at, .. } => Some(retry_at),
        _ => None,
    }
}
