//! Follow-ups: decisions whose message was lost, isolations that have not taken
//! effect, and isolations that are to end.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use futures_util::StreamExt;
use serde::Serialize;
use sophos_api::{
    ApiClient, ErrorKind, TenantClient, TenantId, Transport,
    models::Endpoint,
    operations::endpoint::isolation::{GetIsolation, MAX_IDS},
};

use super::{
    CONCURRENCY, Engine, EngineError,
    endpoint_status::{describe_pending, describe_released, fetch_endpoints, is_isolated},
    release::ENDPOINT_DELETED,
};
use crate::{
    decision::{Decision, DecisionId, DecisionState, ReleaseReason, Transition},
    ledger::{LedgerStore, ScheduledFollowUp},
    outcome::OutcomePublisher,
    policy::Policy,
};

/// The time after which the scheduled follow-up of a missing decision is deleted.
const ORPHAN_TTL_SECONDS: u64 = 3_600;

/// The decisions that a follow-up looks at.
#[derive(Debug, Clone, Copy)]
pub enum FollowUpScope<'d> {
    /// The decisions that are due.
    Due,
    /// All decisions that have not ended, also before they are due.
    Open,
    /// These decisions, also before they are due.
    Decisions(&'d [DecisionId]),
}

/// The report of a follow-up.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct FollowUpReport {
    /// The number of decisions that it looked at.
    pub due: u64,
    /// The number of decisions that changed, by their new state.
    pub transitions: BTreeMap<&'static str, u64>,
    /// The number of isolations and releases that it reported as overdue.
    pub overdue: u64,
    /// The failures, each of one decision, which stays due.
    pub errors: Vec<String>,
}

/// The scheduled follow-ups of each decision.
type Schedule = BTreeMap<DecisionId, Vec<ScheduledFollowUp>>;

impl<T, O, N> Engine<T, O, N>
where
    T: Transport + 'static,
    O: LedgerStore,
    N: OutcomePublisher,
{
    /// Follows up the decisions that are due; see
    /// [`follow_up_scope`](Self::follow_up_scope).
    ///
    /// # Errors
    /// When the schedule cannot be read.
    pub async fn follow_up(
        &self,
        policy: &Policy,
        deadline: Option<Duration>,
    ) -> Result<FollowUpReport, EngineError> {
        self.follow_up_scope(policy, FollowUpScope::Due, deadline).await
    }

    /// Follows up decisions: processes those that no run has taken up, confirms
    /// isolations, reports overdue ones, and releases those that are to end. Waits
    /// end at `deadline`, by the transport's clock.
    ///
    /// # Errors
    /// When the schedule cannot be read. The report has the failures of single
    /// decisions.
    pub async fn follow_up_scope(
        &self,
        policy: &Policy,
        scope: FollowUpScope<'_>,
        deadline: Option<Duration>,
    ) -> Result<FollowUpReport, EngineError> {
        let (mut due, mut later) = (Schedule::new(), Schedule::new());
        for scheduled in self.ledger.scheduled_follow_ups().await? {
            let is_due = match scope {
                FollowUpScope::Due => scheduled.due_at <= self.now().as_secs(),
                FollowUpScope::Open => true,
                FollowUpScope::Decisions(ids) => ids.contains(&scheduled.id),
            };
            let schedule = if is_due { &mut due } else { &mut later };
            schedule.entry(scheduled.id.clone()).or_default().push(scheduled);
        }
        let mut report = FollowUpReport { due: due.len() as u64, ..FollowUpReport::default() };
        let load = |id: DecisionId| async move {
            let decision = self.ledger.load_decision(&id).await;
            (id, decision)
        };
        let ids: Vec<_> = due.keys().cloned().collect();
        let decisions: Vec<_> =
            futures_util::stream::iter(ids).map(load).buffer_unordered(CONCURRENCY).collect().await;
        let mut entries_before = HashMap::new();
        let mut to_process = Vec::new();
        let mut to_confirm: BTreeMap<String, Vec<Decision>> = BTreeMap::new();
        let mut to_release = Vec::new();
        let mut done = Vec::new();
        for (id, decision) in decisions {
            let Some(decision) = report.ok_or_record(&id, decision) else { continue };
            let Some(mut decision) = decision else {
                let is_orphan = |scheduled: &&ScheduledFollowUp| {
                    scheduled.due_at + ORPHAN_TTL_SECONDS < self.now().as_secs()
                };
                for scheduled in due.get(&id).into_iter().flatten().filter(is_orphan) {
                    let deleted = self.ledger.delete_follow_up(scheduled).await;
                    report.ok_or_record(&id, deleted);
                }
                continue;
            };
            entries_before.insert(id.clone(), decision.entries().len());
            match decision.state() {
                DecisionState::Received
                | DecisionState::Approved
                | DecisionState::Deferred
                | DecisionState::Claimed => to_process.push(id),
                DecisionState::PendingApproval
                    if self.apply_submitted_answer(&mut report, &mut decision).await =>
                {
                    if decision.state() == DecisionState::Approved {
                        to_process.push(id)
                    } else {
                        done.push(decision)
                    }
                }
                DecisionState::PendingApproval => {
                    if approval_expires_at(&decision).is_some_and(|expiry| expiry <= self.now().as_secs()) {
                        let recorded = self.record_transition(&mut decision, Transition::Expired).await;
                        report.ok_or_record(&id, recorded);
                    }
                    done.push(decision);
                }
                DecisionState::ReleasePending => to_release.push(decision),
                DecisionState::Isolated
                    if decision.release_at().is_some_and(|at| at <= self.now().as_secs()) =>
                {
                    let transition =
                        Transition::ReleasePending { reason: ReleaseReason::Scheduled, by: None };
                    match self.record_transition(&mut decision, transition).await {
                        Ok(true) => to_release.push(decision),
                        other => drop(report.ok_or_record(&id, other)),
                    }
                }
                DecisionState::Requested | DecisionState::Isolated | DecisionState::ReleaseRequested => {
                    let tenant = decision.target().map(|target| target.tenant.clone());
                    to_confirm.entry(tenant.unwrap_or_default()).or_default().push(decision);
                }
                _ => done.push(decision),
            }
        }
        for (decision, result) in self.release(to_release, deadline).await {
            report.ok_or_record(&decision.id().clone(), result);
            done.push(decision);
        }
        for (tenant, decisions) in to_confirm {
            done.extend(self.confirm_tenant(policy, &tenant, decisions, deadline, &mut report).await);
        }
        for processed in self.process(policy, &to_process, deadline).await {
            report.ok_or_record(&processed.id, processed.result);
            let decision = self.ledger.load_decision(&processed.id).await;
            done.extend(report.ok_or_record(&processed.id, decision).flatten());
        }
        for decision in done {
            let id = decision.id().clone();
            let finished = self.finish(&decision).await;
            if report.ok_or_record(&id, finished).is_none() {
                continue;
            }
            let has_changed = entries_before.get(&id).is_some_and(|count| *count < decision.entries().len());
            if has_changed {
                *report.transitions.entry(decision.state().as_str()).or_default() += 1;
            }
            let due = due.remove(&id).unwrap_or_default();
            let later = later.remove(&id).unwrap_or_default();
            let rescheduled = self.reschedule(policy, &decision, has_changed, due, later).await;
            report.ok_or_record(&id, rescheduled);
        }
        Ok(report)
    }

    /// Applies the answer that a person gave by an approval link, if any.
    async fn apply_submitted_answer(&self, report: &mut FollowUpReport, decision: &mut Decision) -> bool {
        let applied = self.ledger.apply_submitted_answer(decision, self.now()).await;
        report.ok_or_record(&decision.id().clone(), applied).unwrap_or(false)
    }

    /// Schedules the next follow-up of a decision, and deletes those that were due.
    /// For a decision that has ended it deletes all.
    async fn reschedule(
        &self,
        policy: &Policy,
        decision: &Decision,
        has_changed: bool,
        due: Vec<ScheduledFollowUp>,
        later: Vec<ScheduledFollowUp>,
    ) -> Result<(), EngineError> {
        let mut obsolete = due;
        match self.next_follow_up_at(policy, decision) {
            // A follow-up that is scheduled earlier suffices.
            Some(next) if !has_changed && later.iter().any(|later| later.due_at <= next) => {}
            Some(next) => {
                let next = self.ledger.schedule_follow_up(decision.id(), next).await?;
                obsolete.retain(|scheduled| *scheduled != next);
            }
            None => obsolete.extend(later),
        }
        for scheduled in obsolete {
            self.ledger.delete_follow_up(&scheduled).await?;
        }
        Ok(())
    }

    /// Returns the time of a decision's next follow-up, in seconds since the Unix
    /// epoch; `None` when it has ended.
    fn next_follow_up_at(&self, policy: &Policy, decision: &Decision) -> Option<u64> {
        let now = self.now().as_secs();
        let next = match decision.state() {
            state if state.is_final() => return None,
            DecisionState::PendingApproval => approval_expires_at(decision).unwrap_or(now),
            DecisionState::Isolated => now + policy.follow_up().check_interval.as_secs(),
            DecisionState::Requested | DecisionState::ReleasePending | DecisionState::ReleaseRequested => {
                // The longer an endpoint is offline, the rarer the follow-ups.
                match now.saturating_sub(decision.updated_at_ms() / 1_000) {
                    0..600 => now + 30,
                    600..7_200 => now + 300,
                    _ => now + 1_800,
                }
            }
            DecisionState::Claimed => decision.claim().map_or(now, |claim| claim.lease_until),
            DecisionState::Deferred => match decision.entries().last()?.transition {
                Transition::Deferred { retry_at, .. } => retry_at,
                _ => now,
            },
            _ => now + 30,
        };
        let release_at = decision.release_at().filter(|_| decision.state().keeps_isolated());
        let next = release_at.map_or(next, |at| next.min(at));
        // Never now: the follow-up that is due now is about to be deleted.
        Some(next.max(now + 1))
    }

    /// Compares the isolation of one tenant's endpoints with their decisions, with
    /// one request for up to 50 endpoints.
    async fn confirm_tenant(
        &self,
        policy: &Policy,
        tenant: &str,
        decisions: Vec<Decision>,
        deadline: Option<Duration>,
        report: &mut FollowUpReport,
    ) -> Vec<Decision> {
        let tenant = match self.tenant(&TenantId::from(tenant), deadline).await {
            Ok(tenant) => tenant,
            Err(error) => {
                report.errors.extend(decisions.iter().map(|decision| format!("{}: {error}", decision.id())));
                return decisions;
            }
        };
        let mut checked = Vec::new();
        let mut decisions = decisions.into_iter().peekable();
        while decisions.peek().is_some() {
            let batch: Vec<_> = decisions.by_ref().take(MAX_IDS).collect();
            let ids = batch.iter().filter_map(Decision::target).map(|target| target.endpoint.clone());
            let endpoints = match fetch_endpoints(&tenant, ids.collect()).await {
                Ok(endpoints) => endpoints,
                Err(error) => {
                    report.errors.extend(batch.iter().map(|decision| format!("{}: {error}", decision.id())));
                    checked.extend(batch);
                    continue;
                }
            };
            for mut decision in batch {
                let endpoint = decision.target().and_then(|target| endpoints.get(&target.endpoint));
                let result = self.confirm_endpoint(policy, &tenant, &mut decision, endpoint, report).await;
                let id = decision.id().clone();
                report.ok_or_record(&id, result);
                checked.push(decision);
            }
        }
        checked
    }

    /// Compares the isolation that an endpoint reports with the requested one.
    async fn confirm_endpoint(
        &self,
        policy: &Policy,
        tenant: &TenantClient<T>,
        decision: &mut Decision,
        endpoint: Option<&Endpoint>,
        report: &mut FollowUpReport,
    ) -> Result<(), EngineError> {
        let Some(target) = decision.target().cloned() else { return Ok(()) };
        let is_release = decision.state() == DecisionState::ReleaseRequested;
        let isolated = endpoint.and_then(is_isolated);
        if decision.state() == DecisionState::Isolated && isolated == Some(true) {
            return Ok(());
        }
        let state = match tenant.send(&GetIsolation::new(target.endpoint.as_str())).await {
            Ok(state) => state.into_inner(),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let deleted = Transition::Superseded { detail: ENDPOINT_DELETED.to_owned() };
                self.record_transition(decision, deleted).await?;
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        };
        if is_release && state.enabled == Some(true) && isolated != Some(false) {
            let comment = state.comment.as_deref().unwrap_or_default();
            let others = self.other_claimants(&target, decision.id()).await?;
            if let Some(other) = others.iter().find(|other| other.has_own_tag(comment)) {
                self.record_transition(decision, Transition::Transferred { to: other.id().clone() }).await?;
                return Ok(());
            }
        }
        let time = |time: Option<sophos_api::Timestamp>| time.map(|time| time.as_str().to_owned());
        let transition = match (is_release, isolated, state.enabled) {
            (true, Some(false), _) => Transition::Released {
                detail: describe_released(endpoint),
                effective_at: time(state.last_disabled_at),
            },
            (true, _, Some(true)) => {
                let detail = "the endpoint was isolated again outside this ledger, and is released there";
                Transition::Superseded { detail: detail.to_owned() }
            }
            (false, _, Some(false)) => {
                let detail = "the release was requested outside this ledger";
                Transition::Superseded { detail: detail.to_owned() }
            }
            (false, Some(true), _) => Transition::Isolated { effective_at: time(state.last_enabled_at) },
            _ => {
                let timeout = policy.follow_up().effect_timeout;
                let waited = self.now().saturating_sub(Duration::from_millis(decision.updated_at_ms()));
                let is_reported = decision
                    .entries()
                    .last()
                    .is_some_and(|last| matches!(last.transition, Transition::Overdue { .. }));
                if is_reported || decision.state() == DecisionState::Isolated || waited < timeout {
                    return Ok(());
                }
                report.overdue += 1;
                Transition::Overdue { detail: describe_pending(endpoint, is_release) }
            }
        };
        self.record_transition(decision, transition).await?;
        Ok(())
    }
}

impl FollowUpReport {
    /// Returns the value, or records the failure: one decision must not hold up
    /// the others.
    fn ok_or_record<V, E: Into<EngineError>>(&mut self, id: &DecisionId, result: Result<V, E>) -> Option<V> {
        result.map_err(|error| self.errors.push(format!("{id}: {}", error.into()))).ok()
    }
}

fn approval_expires_at(decision: &Decision) -> Option<u64> {
    match decision.entries().last()?.transition {
        Transition::PendingApproval { expires_at, .. } => Some(expires_at),
        _ => None,
    }
}
