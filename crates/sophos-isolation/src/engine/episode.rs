//! Episodes: one decision at a time acts on an alert for an endpoint. Updates
//! of the alert are merged into it. They do not isolate again after a person has
//! ended the isolation.

use super::{Engine, EngineError, record::refused};
use crate::{
    decision::{Decision, DecisionId, DecisionState, IsolationTarget, ReleaseReason, Transition},
    ledger::{LedgerStore, LedgerStoreError, paths},
    outcome::{OutcomePublisher, format_rfc3339},
    policy::Policy,
};

/// The number of attempts to open an episode while other runs open some too.
const MAX_ATTEMPTS: usize = 8;

/// The maximum number of transfers that are followed to the current decision.
const MAX_HOPS: usize = 32;

/// The state of an episode.
enum EpisodeState {
    /// Its decision acts on the alert.
    Active,
    /// A person ended it: a description, and the time in milliseconds since the
    /// Unix epoch.
    EndedManually(String, u64),
    /// It has ended otherwise.
    Ended,
}

impl<T, O, N> Engine<T, O, N>
where
    T: sophos_api::Transport + 'static,
    O: LedgerStore,
    N: OutcomePublisher,
{
    /// Opens an episode of the decision's alert on an endpoint, or finds the
    /// decision's own. Returns the transition to record instead when another
    /// decision acts on the alert, or a person ended the previous episode.
    pub(super) async fn open_episode(
        &self,
        policy: &Policy,
        decision: &Decision,
        target: &IsolationTarget,
    ) -> Result<Option<Transition>, EngineError> {
        let Some(received) = decision.received() else { return Ok(None) };
        // An event without an alert is an alert of its own.
        let alert = received.alert.as_ref().map_or(decision.id().as_str(), |alert| alert.as_str());
        let folder = paths::episodes_folder(&received.source, alert, target);
        let store = self.ledger.store();
        let mut number = 1;
        for _ in 0..MAX_ATTEMPTS {
            if store.create(&paths::episode(&folder, number), decision.id().as_str().into()).await? {
                return Ok(None);
            }
            let names = store.list(&folder).await?;
            let newest = names.iter().filter_map(|name| name.parse::<u32>().ok()).max().unwrap_or(number);
            let path = paths::episode(&folder, newest);
            let body = store.read(&path).await?.unwrap_or_default();
            let invalid =
                || LedgerStoreError::new(format!("invalid object \"{path}\": expected a decision's id"));
            let text = std::str::from_utf8(&body).map_err(|_| invalid())?;
            let id: DecisionId = text.parse().map_err(|_| invalid())?;
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
        Err(LedgerStoreError::new("opening an episode of the alert failed: other runs keep opening some")
            .into())
    }

    /// Describes how long a manual end at `at_ms` prevents new episodes; `None`
    /// when it no longer does.
    fn reisolation_block(&self, policy: &Policy, at_ms: u64) -> Option<String> {
        let Some(after) = policy.new_episode_after() else {
            return Some("under the policy no update of the alert isolates again".to_owned());
        };
        let until = at_ms.saturating_add(after.as_millis() as u64);
        let now = self.now().as_millis() as u64;
        (now < until)
            .then(|| format!("an update of the alert can isolate again from {}", format_rfc3339(until)))
    }

    /// Returns the state of an episode from its decision.
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
            let transferred_to = decision.entries().iter().rev().find_map(|entry| match &entry.transition {
                Transition::Transferred { to } => Some(to.clone()),
                _ => None,
            });
            match (decision.state(), transferred_to) {
                // The other decision has the state of the endpoint.
                (DecisionState::Transferred, Some(to)) => id = to,
                // After a scheduled release an update may isolate again.
                _ if decision.state().is_final() || is_scheduled_release(&decision) => {
                    return Ok(EpisodeState::Ended);
                }
                // The endpoint is claimed by the decision of another alert.
                _ if hop > 0 => return Ok(EpisodeState::Ended),
                _ => return Ok(EpisodeState::Active),
            }
        }
        Ok(EpisodeState::Ended)
    }
}

fn is_scheduled_release(decision: &Decision) -> bool {
    let is_scheduled = |transition: &Transition| {
        matches!(transition, Transition::ReleasePending { reason: ReleaseReason::Scheduled, .. })
    };
    matches!(decision.state(), DecisionState::ReleasePending | DecisionState::ReleaseRequested)
        && decision.entries().iter().any(|entry| is_scheduled(&entry.transition))
}
