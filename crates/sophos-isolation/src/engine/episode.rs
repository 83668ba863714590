//! Episodes: one decision at a time acts on an alert for an endpoint. Updates
//! of the alert join it, and isolate nothing again that a person has ended.

use super::{Engine, EngineError, prepare::refused};
use crate::{
    decision::{Decision, DecisionId, DecisionState, IsolationTarget, ReleaseReason, Transition},
    ledger::{LedgerStore, LedgerStoreError},
    outcome::{OutcomePublisher, format_rfc3339},
    policy::Policy,
};

/// How often the newest episode is read again because another run opened one.
const MAX_ATTEMPTS: usize = 8;

/// The most decisions that are followed to the one that had the endpoint last.
const MAX_HOPS: usize = 32;

/// What an episode's decision means for an update of its alert.
enum EpisodeState {
    /// It acts on the alert.
    Active,
    /// A person ended it: how, and when in milliseconds since the Unix epoch.
    EndedManually(String, u64),
    /// It has ended by itself.
    Ended,
}

impl<T, O, N> Engine<T, O, N>
where
    T: sophos_api::Transport + 'static,
    O: LedgerStore,
    N: OutcomePublisher,
{
    /// Opens an episode of the decision's alert on an endpoint, or finds the
    /// decision's own. Returns the step to take instead when another decision
    /// acts on the alert, or a person ended the episode before.
    pub(super) async fn open_episode(
        &self,
        policy: &Policy,
        decision: &Decision,
        target: &IsolationTarget,
    ) -> Result<Option<Transition>, EngineError> {
        let Some(received) = decision.received() else { return Ok(None) };
        // Without an alert an event is one of its own.
        let alert = received.alert.as_ref().map_or(decision.id().as_str(), |alert| alert.as_str());
        let folder = format!("alerts/{}/{alert}/{}.{}", received.source, target.tenant, target.endpoint);
        let objects = self.ledger.store();
        let mut number = 1;
        for _ in 0..MAX_ATTEMPTS {
            let path = format!("{folder}/{number:04}");
            if objects.create(&path, decision.id().as_str().into()).await? {
                return Ok(None);
            }
            let names = objects.list(&folder).await?;
            let newest = names.iter().filter_map(|name| name.parse::<u32>().ok()).max().unwrap_or(number);
            let path = format!("{folder}/{newest:04}");
            let body = objects.read(&path).await?.unwrap_or_default();
            let id: DecisionId = std::str::from_utf8(&body)
                .ok()
                .and_then(|text| text.parse().ok())
                .ok_or_else(|| LedgerStoreError::new(format!("{path} names no decision; restore it")))?;
            if id == *decision.id() {
                return Ok(None);
            }
            match self.episode_state(&id, target).await? {
                EpisodeState::Active => {
                    return Ok(Some(Transition::Merged { into: id, target: target.clone() }));
                }
                EpisodeState::EndedManually(how, at_ms) => {
                    if let Some(until) = self.reisolation_block(policy, at_ms) {
                        let at = format_rfc3339(at_ms);
                        let detail = format!("the alert's isolation by {id} {how} at {at}; {until}");
                        return Ok(Some(refused("released", &detail, Some(target.clone()))));
                    }
                }
                EpisodeState::Ended => {}
            }
            number = newest.saturating_add(1);
        }
        Err(LedgerStoreError::new("other runs keep opening episodes of the alert; work on it again").into())
    }

    /// Says until when a person's word keeps new episodes from opening; `None`
    /// when it no longer does.
    fn reisolation_block(&self, policy: &Policy, at_ms: u64) -> Option<String> {
        let Some(after) = policy.new_episode_after() else {
            return Some("the policy lets no update of it isolate again".to_owned());
        };
        let until = at_ms.saturating_add(after.as_millis() as u64);
        let now = self.now().as_millis() as u64;
        (now < until).then(|| format!("an update of it may isolate again from {}", format_rfc3339(until)))
    }

    /// Tells what the decision of an episode means for the endpoint now.
    async fn episode_state(
        &self,
        id: &DecisionId,
        target: &IsolationTarget,
    ) -> Result<EpisodeState, EngineError> {
        let mut id = id.clone();
        for hop in 0..MAX_HOPS {
            let Some(decision) = self.ledger.load_decision(&id).await? else {
                return Ok(EpisodeState::Ended);
            };
            let is_elsewhere = decision.target().is_some_and(|own| !own.is_same_endpoint(target));
            if is_elsewhere {
                return Ok(EpisodeState::Ended);
            }
            if let Some((how, at_ms)) = decision.manual_end() {
                return Ok(EpisodeState::EndedManually(how, at_ms));
            }
            let last = decision.entries().iter().rev().find_map(|entry| match &entry.transition {
                Transition::Transferred { to } => Some(to.clone()),
                _ => None,
            });
            match (decision.state(), last) {
                // What became of the endpoint, the other decision tells.
                (DecisionState::Transferred, Some(to)) => id = to,
                // Its time is up: the update may isolate anew, after the release.
                _ if decision.state().is_final() || is_scheduled_release(&decision) => {
                    return Ok(EpisodeState::Ended);
                }
                // Another alert's decision has the endpoint, and this alert's has
                // ended.
                _ if hop > 0 => return Ok(EpisodeState::Ended),
                _ => return Ok(EpisodeState::Active),
            }
        }
        Ok(EpisodeState::Ended)
    }
}

fn is_scheduled_release(decision: &Decision) -> bool {
    let by_time = |step: &Transition| {
        matches!(step, Transition::ReleasePending { reason: ReleaseReason::Scheduled, .. })
    };
    matches!(decision.state(), DecisionState::ReleasePending | DecisionState::ReleaseRequested)
        && decision.entries().iter().any(|entry| by_time(&entry.transition))
}
