//! The preparation of a decision: from its signal to a claimed endpoint, or to
//! another transition.

use std::time::Duration;

use sophos_api::{ApiClient, ErrorKind, TenantId, Transport, operations::endpoint::isolation::GetIsolation};

use super::{
    Engine, EngineError, GIVE_UP_AFTER,
    budget::PermitError,
    claim::IsolationOwner,
    evaluate::{AlertTimes, Evaluation},
    record::{MAX_DEFERRAL_SECONDS, RELEASING_DETAIL, STOPPED_CODE, refused},
};
use crate::{
    decision::{Claim, Decision, DecisionId, DecisionState, IsolationOrigin, IsolationTarget, Transition},
    ledger::LedgerStore,
    outcome::OutcomePublisher,
    permits::Permit,
    policy::{Policy, Refusal, Source, Verdict},
    signal::{Signal, clean},
};

/// The number of attempts while other runs change the decision.
const MAX_ATTEMPTS: usize = 8;

/// The result of preparing a decision.
pub(super) enum Prepared {
    /// The ledger has no decision with this id.
    Unknown,
    /// No request is needed now.
    NothingToDo(Decision),
    /// The decision has its claim and can be isolated.
    Ready(Box<Decision>),
}

/// The next action for a signal.
enum Plan {
    /// Record this transition.
    Transition(Transition),
    /// Isolate this endpoint.
    Isolate(PlannedIsolation),
}

/// An endpoint to isolate, and the time until its release.
struct PlannedIsolation {
    target: IsolationTarget,
    release_after: Option<Duration>,
}

impl Plan {
    /// Returns the endpoint to isolate, at once or after approval.
    fn isolation_target(&self) -> Option<&IsolationTarget> {
        match self {
            Self::Isolate(PlannedIsolation { target, .. })
            | Self::Transition(Transition::PendingApproval { target, .. }) => Some(target),
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
    /// Evaluates a decision that no other run has in hand, and claims its endpoint.
    pub(super) async fn prepare(
        &self,
        policy: &Policy,
        id: &DecisionId,
        comment_tag: &str,
        deadline: Option<Duration>,
    ) -> Result<Prepared, EngineError> {
        // The endpoint that this run has claimed.
        let mut claimed = None;
        for _ in 0..MAX_ATTEMPTS {
            let Some(mut decision) = self.ledger.load_decision(id).await? else {
                return Ok(Prepared::Unknown);
            };
            let now = self.now();
            let is_actionable = match decision.state() {
                DecisionState::Received | DecisionState::Approved => true,
                DecisionState::Deferred => retry_at(&decision).is_none_or(|at| at <= now.as_secs()),
                DecisionState::Claimed => {
                    decision.claim().is_none_or(|claim| claim.lease_until <= now.as_secs())
                }
                // A person may have answered by an approval link.
                DecisionState::PendingApproval
                    if self.ledger.apply_submitted_answer(&mut decision, now).await? =>
                {
                    decision.state() == DecisionState::Approved
                }
                _ => false,
            };
            let (true, Some(received)) = (is_actionable, decision.received()) else {
                return self.nothing_to_do(decision, claimed).await;
            };
            let signal = received.signal.clone();
            // An isolation by an earlier run counts, whatever the policy says now.
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
            let mut permits = Vec::new();
            let target = plan.as_ref().ok().and_then(Plan::isolation_target).cloned();
            claimed = target.clone().or(claimed);
            let plan = match (plan, &target) {
                (Ok(plan), Some(target)) => {
                    // Claim before reading the episode: a release that ends the
                    // episode meanwhile finds this decision by its claim.
                    self.claim_endpoint(target, id).await?;
                    let instead = self.open_episode(policy, &decision, target).await?;
                    Ok(instead.map_or(plan, Plan::Transition))
                }
                (plan, _) => plan,
            };
            let mut transition = match plan {
                Ok(Plan::Transition(transition)) => Ok(transition),
                Ok(Plan::Isolate(isolation)) => {
                    self.prepare_claim(policy, &decision, isolation, comment_tag, &mut permits, deadline)
                        .await
                }
                Err(error) => Err(error),
            };
            if let Err(EngineError::Service(error)) = &transition {
                transition = Ok(self.defer(&decision, error, now));
            }
            let mut transition = transition?;
            if let Transition::Deferred { target: deferred, .. } = &mut transition {
                deferred.clone_from(&target);
            }
            let is_claim = matches!(transition, Transition::Claimed(_));
            let is_recorded = self.record_transition(&mut decision, transition).await?;
            // If another run claimed first, its claim may hold some of these permits.
            if !(is_claim && is_recorded) {
                self.release_unclaimed_permits(&permits, id).await?;
            }
            match (is_recorded, is_claim) {
                (true, true) => return self.continue_claimed(decision).await,
                (true, false) => return self.nothing_to_do(decision, claimed).await,
                (false, _) => {}
            }
        }
        // Other runs keep changing the decision.
        match self.ledger.load_decision(id).await? {
            Some(decision) => Ok(Prepared::NothingToDo(decision)),
            None => Ok(Prepared::Unknown),
        }
    }

    /// Ends the preparation without a request. Removes this run's claim of a
    /// decision that has ended, as its entries may name no endpoint.
    async fn nothing_to_do(
        &self,
        decision: Decision,
        claimed: Option<IsolationTarget>,
    ) -> Result<Prepared, EngineError> {
        if let (true, Some(target)) = (decision.state().is_final(), claimed) {
            self.unclaim_endpoint(&target, decision.id()).await?;
        }
        Ok(Prepared::NothingToDo(decision))
    }

    /// Returns the transition of a decision whose source is not usable: a deferral
    /// while the source is disabled or no valid policy exists, else a refusal.
    fn transition_without_source(&self, policy: &Policy, source: &str, decision: &Decision) -> Transition {
        let now = self.now();
        let age = now.saturating_sub(Duration::from_millis(decision.actionable_since_ms()));
        let (code, cause) = match policy.disabled_source(source) {
            Some(disabled) => {
                ("source_disabled", format!("an error in the policy disables the source: {disabled}"))
            }
            None if policy.is_absent() => ("no_policy", "no valid policy is stored".to_owned()),
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
        // The time that a person takes to approve does not age the alert.
        let approval_requested =
            decision.approval_requested_at_ms().filter(|_| decision.is_approved()).map(Duration::from_millis);
        let received = Duration::from_millis(decision.created_at_ms());
        let times = AlertTimes::new(signal, received, approval_requested.unwrap_or_else(|| self.now()));
        let permit = decision.id().as_str();
        let (evaluation, _) = self.evaluate(policy, source, signal, times, permit, deadline).await?;
        let (target, verdict) = match evaluation {
            // The alert aged during retries, so the decision failed.
            Evaluation::NotAdmitted(refusal @ Refusal::TooOld { .. }) if decision.deferral_count() > 0 => {
                return Ok(Plan::Transition(Transition::Failed { detail: refusal.to_string() }));
            }
            Evaluation::NotAdmitted(refusal) => {
                return Ok(Plan::Transition(refused(refusal.code(), &refusal.to_string(), None)));
            }
            Evaluation::Unresolved(reason) => {
                return Ok(Plan::Transition(refused(reason.code(), &reason.to_string(), None)));
            }
            // A decision that an outage deferred waits for the next hour's lookups.
            Evaluation::LookupBudget(budget) if decision.deferral_count() > 0 => {
                let retry_at = (self.now().as_secs() / 3_600 + 1) * 3_600;
                let detail = budget.to_string();
                return Ok(Plan::Transition(Transition::Deferred { detail, retry_at, target: None }));
            }
            Evaluation::LookupBudget(budget) => {
                return Ok(Plan::Transition(refused(budget.code(), &budget.to_string(), None)));
            }
            Evaluation::Release(target) => {
                return self.delegate_release(target, source).await.map(Plan::Transition);
            }
            Evaluation::Isolate(target, verdict) => (target, verdict),
        };
        let is_approved = decision.is_approved();
        if is_approved && decision.target().is_some_and(|before| !before.is_same_endpoint(&target)) {
            let detail = "the host now resolves to another endpoint than the approved one";
            return Ok(Plan::Transition(refused("target_changed", detail, Some(target))));
        }
        Ok(match verdict {
            Verdict::Refuse(refusal) => {
                Plan::Transition(refused(refusal.code(), &refusal.to_string(), Some(target)))
            }
            Verdict::DryRun { approval_reason, release_after } => Plan::Transition(Transition::DryRun {
                target,
                requires_approval: approval_reason.is_some(),
                release_after_seconds: release_after.map(|after| after.as_secs()),
            }),
            Verdict::WaitForApproval { reason, timeout, .. } if !is_approved => {
                let expires_at = self.now().as_secs() + timeout.as_secs();
                Plan::Transition(Transition::PendingApproval { target, reason, expires_at })
            }
            Verdict::WaitForApproval { release_after, .. } | Verdict::Isolate { release_after } => {
                Plan::Isolate(PlannedIsolation { target, release_after })
            }
        })
    }

    /// Returns whether the isolation request of an earlier run of this decision was applied.
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

    /// Acquires the permits of an isolation. Returns the claim, or the transition
    /// to record instead. `permits` gets those that were acquired.
    async fn prepare_claim(
        &self,
        policy: &Policy,
        decision: &Decision,
        PlannedIsolation { target, release_after }: PlannedIsolation,
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
            release_after_seconds: release_after.map(|after| after.as_secs()),
            permits: Vec::new(),
            origin: None,
        };
        // An earlier run of this decision may have acquired the permits.
        if let Some(before) = decision.claim().filter(|before| before.target.tenant == claim.target.tenant) {
            claim.permits.clone_from(&before.permits);
        }
        if state.enabled == Some(true) {
            let comment = state.comment.as_deref().unwrap_or_default();
            match self.isolation_owner(&claim.target, decision.id(), comment).await? {
                IsolationOwner::Decision { comment_tag } => {
                    claim.comment_tag = comment_tag;
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
            let is_shared = claim.origin.is_some();
            // Sharing an isolation prolongs it, which takes hourly permits as well.
            let acquired = match is_shared {
                true => self.acquire_hourly_permits(policy, decision, &claim.target, permits).await,
                false => self.acquire_permits(policy, decision, &claim.target, &tenant, permits).await,
            };
            match acquired {
                Ok(()) => {}
                Err(PermitError::Failed(error)) => return Err(error),
                Err(PermitError::Exhausted(budget)) => {
                    // If another decision holds the permit for this endpoint, this
                    // one can share its isolation later.
                    let others = self.other_claimants(&claim.target, decision.id()).await?;
                    if !is_shared && others.iter().any(may_hold_permits) {
                        return Ok(self.defer_briefly("another decision is about to isolate the endpoint"));
                    }
                    return Ok(refused(budget.code(), &budget.to_string(), Some(claim.target)));
                }
            }
            claim.permits = permits.iter().map(|permit| permit.path.clone()).collect();
        }
        Ok(Transition::Claimed(Box::new(claim)))
    }

    /// Passes a claimed decision on to the request. A decision that shares an
    /// isolation needs none.
    async fn continue_claimed(&self, mut decision: Decision) -> Result<Prepared, EngineError> {
        let shared = decision.claim().filter(|claim| claim.origin.is_some()).cloned();
        let Some(claim) = shared else { return Ok(Prepared::Ready(Box::new(decision))) };
        // The other decision may have begun its release before it saw this claim.
        let transition = match self.isolation_owner(&claim.target, decision.id(), &claim.comment_tag).await? {
            IsolationOwner::Decision { .. } => {
                Transition::Requested { origin: IsolationOrigin::Shared, comment_tag: None }
            }
            IsolationOwner::Releasing | IsolationOwner::External => self.defer_briefly(RELEASING_DETAIL),
        };
        self.record_transition(&mut decision, transition).await?;
        Ok(Prepared::NothingToDo(decision))
    }
}

/// Whether another decision about an endpoint has permits, or may be acquiring
/// them.
fn may_hold_permits(other: &Decision) -> bool {
    other.claim().is_some() || matches!(other.state(), DecisionState::Received | DecisionState::Approved)
}

fn retry_at(decision: &Decision) -> Option<u64> {
    match decision.entries().last()?.transition {
        Transition::Deferred { retry_at, .. } => Some(retry_at),
        _ => None,
    }
}
