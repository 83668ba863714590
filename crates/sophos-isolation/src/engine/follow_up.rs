//! What is due: signals whose message was lost, isolations that have not taken
//! effect, times that are up.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use futures_util::StreamExt;
use serde::Serialize;
use sophos_api::{
    ApiClient, ErrorKind, TenantClient, TenantId, Transport,
    models::Endpoint,
    operations::isolation::{GetIsolation, MAX_IDS},
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

/// A reminder of a decision that nobody has begun is kept for this long.
const ORPHAN_TTL_SECONDS: u64 = 3_600;

/// What a follow-up looks at.
#[derive(Clone, Copy)]
enum FollowUpScope<'d> {
    Due,
    Open,
    Decisions(&'d [DecisionId]),
}

/// What a follow-up found and did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct FollowUpReport {
    /// Decisions that were due.
    pub due: u64,
    /// Where those stand that took a step, by the word for the state.
    pub transitions: BTreeMap<&'static str, u64>,
    /// Isolations and releases that were reported as overdue.
    pub overdue: u64,
    /// What failed, each for a decision. It is due again.
    pub errors: Vec<String>,
}

impl<T, O, N> Engine<T, O, N>
where
    T: Transport + 'static,
    O: LedgerStore,
    N: OutcomePublisher,
{
    /// Looks at every decision that is due: works on those that nobody works
    /// on, confirms what has taken effect, reports what has not in time, and
    /// releases what is to end, and confirms that too.
    ///
    /// # Errors
    /// When the agenda cannot be read. Failures of single decisions are in the
    /// report.
    pub async fn follow_up(
        &self,
        policy: &Policy,
        deadline: Option<Duration>,
    ) -> Result<FollowUpReport, EngineError> {
        self.run_follow_up(policy, FollowUpScope::Due, deadline).await
    }

    /// Looks at every decision that has not ended, also before it is due.
    ///
    /// # Errors
    /// As for [`follow_up`](Self::follow_up).
    pub async fn follow_up_all(
        &self,
        policy: &Policy,
        deadline: Option<Duration>,
    ) -> Result<FollowUpReport, EngineError> {
        self.run_follow_up(policy, FollowUpScope::Open, deadline).await
    }

    /// Looks at some decisions, also before they are due.
    ///
    /// # Errors
    /// As for [`follow_up`](Self::follow_up).
    pub async fn follow_up_on(
        &self,
        policy: &Policy,
        ids: &[DecisionId],
        deadline: Option<Duration>,
    ) -> Result<FollowUpReport, EngineError> {
        self.run_follow_up(policy, FollowUpScope::Decisions(ids), deadline).await
    }

    async fn run_follow_up(
        &self,
        policy: &Policy,
        scope: FollowUpScope<'_>,
        deadline: Option<Duration>,
    ) -> Result<FollowUpReport, EngineError> {
        let mut reminders: BTreeMap<DecisionId, Vec<ScheduledFollowUp>> = BTreeMap::new();
        let mut later: BTreeMap<DecisionId, Vec<ScheduledFollowUp>> = BTreeMap::new();
        for reminder in self.ledger.scheduled_follow_ups().await? {
            let due = match scope {
                FollowUpScope::Due => reminder.due_at <= self.now().as_secs(),
                FollowUpScope::Open => true,
                FollowUpScope::Decisions(ids) => ids.contains(&reminder.id),
            };
            let agenda = if due { &mut reminders } else { &mut later };
            agenda.entry(reminder.id.clone()).or_default().push(reminder);
        }
        let mut report = FollowUpReport { due: reminders.len() as u64, ..FollowUpReport::default() };
        let read = |id: DecisionId| async move {
            let decision = self.ledger.load_decision(&id).await;
            (id, decision)
        };
        let ids: Vec<_> = reminders.keys().cloned().collect();
        let decisions: Vec<_> =
            futures_util::stream::iter(ids).map(read).buffer_unordered(CONCURRENCY).collect().await;
        let mut before = HashMap::new();
        let mut work = Vec::new();
        let mut watch: BTreeMap<String, Vec<Decision>> = BTreeMap::new();
        let mut release = Vec::new();
        let mut done = Vec::new();
        for (id, decision) in decisions {
            let Some(decision) = report.ok_or_record(&id, decision) else { continue };
            let Some(mut decision) = decision else {
                let old = |reminder: &&ScheduledFollowUp| {
                    reminder.due_at + ORPHAN_TTL_SECONDS < self.now().as_secs()
                };
                for reminder in reminders.get(&id).into_iter().flatten().filter(old) {
                    let forgotten = self.ledger.delete_follow_up(reminder).await;
                    report.ok_or_record(&id, forgotten);
                }
                continue;
            };
            before.insert(id.clone(), decision.entries().len());
            match decision.state() {
                DecisionState::Received
                | DecisionState::Approved
                | DecisionState::Deferred
                | DecisionState::Claimed => work.push(id),
                DecisionState::PendingApproval
                    if self.apply_submitted_answer(&mut report, &mut decision).await =>
                {
                    if decision.state() == DecisionState::Approved {
                        work.push(id)
                    } else {
                        done.push(decision)
                    }
                }
                DecisionState::PendingApproval => {
                    if approval_expires_at(&decision).is_some_and(|until| until <= self.now().as_secs()) {
                        let step = self.record_transition(&mut decision, Transition::Expired).await;
                        report.ok_or_record(&id, step);
                    }
                    done.push(decision);
                }
                DecisionState::ReleasePending => release.push(decision),
                DecisionState::Isolated
                    if decision.release_at().is_some_and(|at| at <= self.now().as_secs()) =>
                {
                    let step = Transition::ReleasePending { reason: ReleaseReason::Scheduled, by: None };
                    match self.record_transition(&mut decision, step).await {
                        Ok(true) => release.push(decision),
                        other => drop(report.ok_or_record(&id, other)),
                    }
                }
                DecisionState::Requested | DecisionState::Isolated | DecisionState::ReleaseRequested => {
                    let tenant = decision.target().map(|target| target.tenant.clone());
                    watch.entry(tenant.unwrap_or_default()).or_default().push(decision);
                }
                _ => done.push(decision),
            }
        }
        for (decision, outcome) in self.release(release, deadline).await {
            report.ok_or_record(&decision.id().clone(), outcome);
            done.push(decision);
        }
        for (tenant, decisions) in watch {
            done.extend(self.confirm_tenant(policy, &tenant, decisions, deadline, &mut report).await);
        }
        for worked in self.process(policy, &work, deadline).await {
            report.ok_or_record(&worked.id, worked.result);
            let decision = self.ledger.load_decision(&worked.id).await;
            done.extend(report.ok_or_record(&worked.id, decision).flatten());
        }
        for decision in done {
            let id = decision.id().clone();
            let concluded = self.finish(&decision).await;
            if report.ok_or_record(&id, concluded).is_none() {
                continue;
            }
            let has_moved = before.get(&id).is_some_and(|entries| *entries < decision.entries().len());
            if has_moved {
                *report.transitions.entry(decision.state().as_str()).or_default() += 1;
            }
            let due = reminders.remove(&id).unwrap_or_default();
            let later = later.remove(&id).unwrap_or_default();
            let reminded = self.reschedule(policy, &decision, has_moved, due, later).await;
            report.ok_or_record(&id, reminded);
        }
        Ok(report)
    }

    /// Takes the answer that a person gave by a link, if there is one.
    async fn apply_submitted_answer(&self, report: &mut FollowUpReport, decision: &mut Decision) -> bool {
        let taken = self.ledger.apply_submitted_answer(decision, self.now()).await;
        report.ok_or_record(&decision.id().clone(), taken).unwrap_or(false)
    }

    /// Puts a decision on the agenda for the next time, and takes it off for
    /// this one. One that has ended is taken off for good.
    async fn reschedule(
        &self,
        policy: &Policy,
        decision: &Decision,
        has_moved: bool,
        due: Vec<ScheduledFollowUp>,
        later: Vec<ScheduledFollowUp>,
    ) -> Result<(), EngineError> {
        let mut over = due;
        match self.next_follow_up_at(policy, decision) {
            // Who has not moved is seen at the latter just as it is now.
            Some(next) if !has_moved && later.iter().any(|later| later.due_at <= next) => {}
            Some(next) => {
                let next = self.ledger.schedule_follow_up(decision.id(), next).await?;
                over.retain(|reminder| *reminder != next);
            }
            None => over.extend(later),
        }
        for reminder in over {
            self.ledger.delete_follow_up(&reminder).await?;
        }
        Ok(())
    }

    /// When a decision is to be looked at again, in seconds since the Unix
    /// epoch; `None` when it has ended.
    fn next_follow_up_at(&self, policy: &Policy, decision: &Decision) -> Option<u64> {
        let now = self.now().as_secs();
        let next = match decision.state() {
            state if state.is_final() => return None,
            DecisionState::PendingApproval => approval_expires_at(decision).unwrap_or(now),
            DecisionState::Isolated => now + policy.follow_up().check_interval.as_secs(),
            DecisionState::Requested | DecisionState::ReleasePending | DecisionState::ReleaseRequested => {
                // An endpoint that is offline for long is not asked about every
                // minute.
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
        let ends = decision.release_at().filter(|_| decision.state().keeps_isolated());
        let next = ends.map_or(next, |at| next.min(at));
        // Never for this very moment, which has a reminder that is about to go.
        Some(next.max(now + 1))
    }

    /// Reads what the endpoints of one tenant report, many in a request.
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
        let mut looked_at = Vec::new();
        let mut decisions = decisions.into_iter().peekable();
        while decisions.peek().is_some() {
            let batch: Vec<_> = decisions.by_ref().take(MAX_IDS).collect();
            let ids = batch.iter().filter_map(Decision::target).map(|target| target.endpoint.clone());
            let endpoints = match fetch_endpoints(&tenant, ids.collect()).await {
                Ok(endpoints) => endpoints,
                Err(error) => {
                    report.errors.extend(batch.iter().map(|decision| format!("{}: {error}", decision.id())));
                    looked_at.extend(batch);
                    continue;
                }
            };
            for mut decision in batch {
                let endpoint = decision.target().and_then(|target| endpoints.get(&target.endpoint));
                let looked = self.confirm_endpoint(policy, &tenant, &mut decision, endpoint, report).await;
                let id = decision.id().clone();
                report.ok_or_record(&id, looked);
                looked_at.push(decision);
            }
        }
        looked_at
    }

    /// Compares what an endpoint reports with what was asked of it.
    async fn confirm_endpoint(
        &self,
        policy: &Policy,
        tenant: &TenantClient<T>,
        decision: &mut Decision,
        endpoint: Option<&Endpoint>,
        report: &mut FollowUpReport,
    ) -> Result<(), EngineError> {
        let Some(target) = decision.target().cloned() else { return Ok(()) };
        let releasing = decision.state() == DecisionState::ReleaseRequested;
        let isolated = endpoint.and_then(is_isolated);
        if decision.state() == DecisionState::Isolated && isolated == Some(true) {
            return Ok(());
        }
        let state = match tenant.send(&GetIsolation::new(target.endpoint.as_str())).await {
            Ok(state) => state.into_inner(),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                self.record_transition(
                    decision,
                    Transition::Superseded { detail: ENDPOINT_DELETED.to_owned() },
                )
                .await?;
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        };
        if releasing && state.enabled == Some(true) && isolated != Some(false) {
            let comment = state.comment.as_deref().unwrap_or_default();
            let others = self.other_claimants(&target, decision.id()).await?;
            if let Some(other) = others.iter().find(|other| other.has_own_tag(comment)) {
                self.record_transition(decision, Transition::Transferred { to: other.id().clone() }).await?;
                return Ok(());
            }
        }
        let time = |time: Option<sophos_api::Timestamp>| time.map(|time| time.as_str().to_owned());
        let step = match (releasing, isolated, state.enabled) {
            (true, Some(false), _) => Transition::Released {
                detail: describe_released(endpoint),
                effective_at: time(state.last_disabled_at),
            },
            (true, _, Some(true)) => {
                let detail = "somebody else has asked for isolation again, and may release it".to_owned();
                Transition::Superseded { detail }
            }
            (false, _, Some(false)) => {
                let detail = "somebody else has asked for its end".to_owned();
                Transition::Superseded { detail }
            }
            (false, Some(true), _) => Transition::Isolated { effective_at: time(state.last_enabled_at) },
            _ => {
                let late = policy.follow_up().effect_timeout;
                let waited = self.now().saturating_sub(Duration::from_millis(decision.updated_at_ms()));
                let reported = decision
                    .entries()
                    .last()
                    .is_some_and(|last| matches!(last.transition, Transition::Overdue { .. }));
                if reported || decision.state() == DecisionState::Isolated || waited < late {
                    return Ok(());
                }
                report.overdue += 1;
                Transition::Overdue { detail: describe_pending(endpoint, releasing) }
            }
        };
        self.record_transition(decision, step).await?;
        Ok(())
    }
}

impl FollowUpReport {
    /// The value, or a line of the report: what is wrong with one decision must
    /// not keep the others from their due.
    fn ok_or_record<V, E: Into<EngineError>>(&mut self, id: &DecisionId, outcome: Result<V, E>) -> Option<V> {
        outcome.map_err(|error| self.errors.push(format!("{id}: {}", error.into()))).ok()
    }
}

fn approval_expires_at(decision: &Decision) -> Option<u64> {
    match decision.entries().last()?.transition {
        Transition::PendingApproval { expires_at: until, .. } => Some(until),
        _ => None,
    }
}
