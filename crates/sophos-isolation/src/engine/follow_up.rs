//! What is due: signals whose message was lost, isolations that have not taken
//! effect, times that are up.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use futures_util::StreamExt;
use serde::Serialize;
use sophos_api::{
    Caller, ErrorKind, TenantClient, TenantId, Transport,
    models::Endpoint,
    operations::isolation::{GetIsolation, MOST_IDS},
};

use super::{
    CONCURRENCY, Engine, EngineError,
    release::DELETED,
    seen::{endpoints, is_isolated, pending, released},
};
use crate::{
    decision::{Decision, DecisionId, ReleaseReason, State, Step},
    ledger::{Objects, Reminder},
    outcome::Outcomes,
    policy::Policy,
};

/// A reminder of a decision that nobody has begun is kept for this long.
const UNBEGUN: u64 = 3_600;

/// What a follow-up looks at.
#[derive(Clone, Copy)]
enum Look<'d> {
    Due,
    All,
    At(&'d [DecisionId]),
}

/// What a follow-up found and did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct FollowUpReport {
    /// Decisions that were due.
    pub due: u64,
    /// Where those stand that took a step, by the word for the state.
    pub moved: BTreeMap<&'static str, u64>,
    /// Isolations and releases that were reported as overdue.
    pub overdue: u64,
    /// What failed, each for a decision. It is due again.
    pub errors: Vec<String>,
}

impl<T, O, N> Engine<T, O, N>
where
    T: Transport + 'static,
    O: Objects,
    N: Outcomes,
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
        stop_at: Option<Duration>,
    ) -> Result<FollowUpReport, EngineError> {
        self.follow(policy, Look::Due, stop_at).await
    }

    /// Looks at every decision that has not ended, also before it is due.
    ///
    /// # Errors
    /// As for [`follow_up`](Self::follow_up).
    pub async fn follow_up_all(
        &self,
        policy: &Policy,
        stop_at: Option<Duration>,
    ) -> Result<FollowUpReport, EngineError> {
        self.follow(policy, Look::All, stop_at).await
    }

    /// Looks at some decisions, also before they are due.
    ///
    /// # Errors
    /// As for [`follow_up`](Self::follow_up).
    pub async fn follow_up_on(
        &self,
        policy: &Policy,
        ids: &[DecisionId],
        stop_at: Option<Duration>,
    ) -> Result<FollowUpReport, EngineError> {
        self.follow(policy, Look::At(ids), stop_at).await
    }

    async fn follow(
        &self,
        policy: &Policy,
        look: Look<'_>,
        stop_at: Option<Duration>,
    ) -> Result<FollowUpReport, EngineError> {
        let mut reminders: BTreeMap<DecisionId, Vec<Reminder>> = BTreeMap::new();
        let mut later: BTreeMap<DecisionId, Vec<Reminder>> = BTreeMap::new();
        for reminder in self.ledger.agenda().await? {
            let due = match look {
                Look::Due => reminder.at <= self.now().as_secs(),
                Look::All => true,
                Look::At(ids) => ids.contains(&reminder.id),
            };
            let agenda = if due { &mut reminders } else { &mut later };
            agenda.entry(reminder.id.clone()).or_default().push(reminder);
        }
        let mut report = FollowUpReport { due: reminders.len() as u64, ..FollowUpReport::default() };
        let read = |id: DecisionId| async move {
            let decision = self.ledger.decision(&id).await;
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
            let Some(decision) = report.value(&id, decision) else { continue };
            let Some(mut decision) = decision else {
                let old = |reminder: &&Reminder| reminder.at + UNBEGUN < self.now().as_secs();
                for reminder in reminders.get(&id).into_iter().flatten().filter(old) {
                    let forgotten = self.ledger.forget(reminder).await;
                    report.value(&id, forgotten);
                }
                continue;
            };
            before.insert(id.clone(), decision.entries().len());
            match decision.state() {
                State::Received | State::Approved | State::Deferred | State::Claimed => work.push(id),
                State::Waiting if self.submitted(&mut report, &mut decision).await => {
                    if decision.state() == State::Approved { work.push(id) } else { done.push(decision) }
                }
                State::Waiting => {
                    if waits_until(&decision).is_some_and(|until| until <= self.now().as_secs()) {
                        let step = self.step(&mut decision, Step::Expired).await;
                        report.value(&id, step);
                    }
                    done.push(decision);
                }
                State::ReleaseAsked => release.push(decision),
                State::Isolated if decision.release_at().is_some_and(|at| at <= self.now().as_secs()) => {
                    let step = Step::ReleaseAsked { why: ReleaseReason::TimeIsUp, who: None };
                    match self.step(&mut decision, step).await {
                        Ok(true) => release.push(decision),
                        other => drop(report.value(&id, other)),
                    }
                }
                State::Requested | State::Isolated | State::ReleaseRequested => {
                    let tenant = decision.target().map(|target| target.tenant.clone());
                    watch.entry(tenant.unwrap_or_default()).or_default().push(decision);
                }
                _ => done.push(decision),
            }
        }
        for (decision, outcome) in self.release(release, stop_at).await {
            report.value(&decision.id().clone(), outcome);
            done.push(decision);
        }
        for (tenant, decisions) in watch {
            done.extend(self.watch(policy, &tenant, decisions, stop_at, &mut report).await);
        }
        for worked in self.work(policy, &work, stop_at).await {
            report.value(&worked.id, worked.outcome);
            let decision = self.ledger.decision(&worked.id).await;
            done.extend(report.value(&worked.id, decision).flatten());
        }
        for decision in done {
            let id = decision.id().clone();
            let concluded = self.conclude(policy, &decision).await;
            if report.value(&id, concluded).is_none() {
                continue;
            }
            let has_moved = before.get(&id).is_some_and(|entries| *entries < decision.entries().len());
            if has_moved {
                *report.moved.entry(decision.state().as_str()).or_default() += 1;
            }
            let due = reminders.remove(&id).unwrap_or_default();
            let later = later.remove(&id).unwrap_or_default();
            let reminded = self.remind_again(policy, &decision, has_moved, due, later).await;
            report.value(&id, reminded);
        }
        Ok(report)
    }

    /// Takes the answer that a person gave by a link, if there is one.
    async fn submitted(&self, report: &mut FollowUpReport, decision: &mut Decision) -> bool {
        let taken = self.ledger.take_submitted(decision, self.now()).await;
        report.value(&decision.id().clone(), taken).unwrap_or(false)
    }

    /// Puts a decision on the agenda for the next time, and takes it off for
    /// this one. One that has ended is taken off for good.
    async fn remind_again(
        &self,
        policy: &Policy,
        decision: &Decision,
        has_moved: bool,
        due: Vec<Reminder>,
        later: Vec<Reminder>,
    ) -> Result<(), EngineError> {
        let mut over = due;
        match self.next_look(policy, decision) {
            // Who has not moved is seen at the latter just as it is now.
            Some(next) if !has_moved && later.iter().any(|later| later.at <= next) => {}
            Some(next) => {
                let next = self.ledger.remind(decision.id(), next).await?;
                over.retain(|reminder| *reminder != next);
            }
            None => over.extend(later),
        }
        for reminder in over {
            self.ledger.forget(&reminder).await?;
        }
        Ok(())
    }

    /// When a decision is to be looked at again, in seconds since the Unix
    /// epoch; `None` when it has ended.
    fn next_look(&self, policy: &Policy, decision: &Decision) -> Option<u64> {
        let now = self.now().as_secs();
        let next = match decision.state() {
            state if state.is_final() => return None,
            State::Waiting => waits_until(decision).unwrap_or(now),
            State::Isolated => now + policy.follow_up().watch_every.as_secs(),
            State::Requested | State::ReleaseAsked | State::ReleaseRequested => {
                // An endpoint that is offline for long is not asked about every
                // minute.
                match now.saturating_sub(decision.changed_ms() / 1_000) {
                    0..600 => now + 30,
                    600..7_200 => now + 300,
                    _ => now + 1_800,
                }
            }
            State::Claimed => decision.claim().map_or(now, |claim| claim.lease_until),
            State::Deferred => match decision.entries().last()?.step {
                Step::Deferred { retry_at, .. } => retry_at,
                _ => now,
            },
            _ => now + 30,
        };
        let ends = decision.release_at().filter(|_| decision.state().is_holding());
        let next = ends.map_or(next, |at| next.min(at));
        // Never for this very moment, which has a reminder that is about to go.
        Some(next.max(now + 1))
    }

    /// Reads what the endpoints of one tenant report, many in a request.
    async fn watch(
        &self,
        policy: &Policy,
        tenant: &str,
        decisions: Vec<Decision>,
        stop_at: Option<Duration>,
        report: &mut FollowUpReport,
    ) -> Vec<Decision> {
        let tenant = match self.tenant(&TenantId::from(tenant), stop_at).await {
            Ok(tenant) => tenant,
            Err(error) => {
                report.errors.extend(decisions.iter().map(|decision| format!("{}: {error}", decision.id())));
                return decisions;
            }
        };
        let mut looked_at = Vec::new();
        let mut decisions = decisions.into_iter().peekable();
        while decisions.peek().is_some() {
            let batch: Vec<_> = decisions.by_ref().take(MOST_IDS).collect();
            let ids = batch.iter().filter_map(Decision::target).map(|target| target.endpoint.clone());
            let endpoints = match endpoints(&tenant, ids.collect()).await {
                Ok(endpoints) => endpoints,
                Err(error) => {
                    report.errors.extend(batch.iter().map(|decision| format!("{}: {error}", decision.id())));
                    looked_at.extend(batch);
                    continue;
                }
            };
            for mut decision in batch {
                let endpoint = decision.target().and_then(|target| endpoints.get(&target.endpoint));
                let looked = self.look(policy, &tenant, &mut decision, endpoint, report).await;
                let id = decision.id().clone();
                report.value(&id, looked);
                looked_at.push(decision);
            }
        }
        looked_at
    }

    /// Compares what an endpoint reports with what was asked of it.
    async fn look(
        &self,
        policy: &Policy,
        tenant: &TenantClient<T>,
        decision: &mut Decision,
        endpoint: Option<&Endpoint>,
        report: &mut FollowUpReport,
    ) -> Result<(), EngineError> {
        let Some(target) = decision.target().cloned() else { return Ok(()) };
        let releasing = decision.state() == State::ReleaseRequested;
        let isolated = endpoint.and_then(is_isolated);
        if decision.state() == State::Isolated && isolated == Some(true) {
            return Ok(());
        }
        let state = match tenant.send(&GetIsolation { endpoint_id: target.endpoint.clone() }).await {
            Ok(state) => state.into_inner(),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                self.step(decision, Step::TakenOver { detail: DELETED.to_owned() }).await?;
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        };
        if releasing && state.enabled == Some(true) && isolated != Some(false) {
            let comment = state.comment.as_deref().unwrap_or_default();
            let others = self.others(&target, decision.id()).await?;
            if let Some(other) = others.iter().find(|other| other.has_called(comment)) {
                self.step(decision, Step::HandedOver { to: other.id().clone() }).await?;
                return Ok(());
            }
        }
        let time = |time: Option<sophos_api::Timestamp>| time.map(|time| time.as_str().to_owned());
        let step = match (releasing, isolated, state.enabled) {
            (true, Some(false), _) => {
                Step::Released { detail: released(endpoint), effective_at: time(state.last_disabled_at) }
            }
            (true, _, Some(true)) => {
                let detail = "somebody else has asked for isolation again, and may release it".to_owned();
                Step::TakenOver { detail }
            }
            (false, _, Some(false)) => {
                let detail = "somebody else has asked for its end".to_owned();
                Step::TakenOver { detail }
            }
            (false, Some(true), _) => Step::Isolated { effective_at: time(state.last_enabled_at) },
            _ => {
                let late = policy.follow_up().effect_within;
                let waited = self.now().saturating_sub(Duration::from_millis(decision.changed_ms()));
                let reported =
                    decision.entries().last().is_some_and(|last| matches!(last.step, Step::Overdue { .. }));
                if reported || decision.state() == State::Isolated || waited < late {
                    return Ok(());
                }
                report.overdue += 1;
                Step::Overdue { detail: pending(endpoint, releasing) }
            }
        };
        self.step(decision, step).await?;
        Ok(())
    }
}

impl FollowUpReport {
    /// The value, or a line of the report: what is wrong with one decision must
    /// not keep the others from their due.
    fn value<V, E: Into<EngineError>>(&mut self, id: &DecisionId, outcome: Result<V, E>) -> Option<V> {
        outcome.map_err(|error| self.errors.push(format!("{id}: {}", error.into()))).ok()
    }
}

fn waits_until(decision: &Decision) -> Option<u64> {
    match decision.entries().last()?.step {
        Step::Waiting { until, .. } => Some(until),
        _ => None,
    }
}
