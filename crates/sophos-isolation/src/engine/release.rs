//! The end of an isolation: when its time is up or somebody asks. What others
//! have isolated, or have made theirs, is left to them.

use std::{collections::BTreeMap, time::Duration};

use sophos_api::{
    ApiClient, ErrorKind, TenantClient, TenantId, Transport,
    operations::isolation::{GetIsolation, MAX_IDS},
};

use super::{
    Engine, EngineError,
    isolate::{IsolationRequest, RequestResult, apply},
    prepare::refused,
};
use crate::{
    approval::CommandError,
    decision::{Decision, DecisionState, IsolationTarget, Transition},
    ledger::LedgerStore,
    outcome::OutcomePublisher,
    policy::Source,
    signal::clean,
};

/// What ends a decision whose endpoint is no more.
pub(super) const ENDPOINT_DELETED: &str = "the endpoint was deleted in Sophos Central";

impl<T, O, N> Engine<T, O, N>
where
    T: Transport + 'static,
    O: LedgerStore,
    N: OutcomePublisher,
{
    /// Asks the decisions of a source that hold an endpoint to release it.
    pub(super) async fn delegate_release(
        &self,
        target: IsolationTarget,
        source: &Source,
    ) -> Result<Transition, EngineError> {
        // No decision has this id: it is nobody's own.
        let nobody = crate::decision::DecisionId::from_event_id("", "");
        let mut to = Vec::new();
        let mut holders = self.other_claimants(&target, &nobody).await?;
        holders.retain(|holder| holder.received().is_some_and(|received| received.source == source.name));
        for holder in holders {
            let asked = self.ledger.request_release(holder.id(), &source.name, self.now()).await;
            match asked {
                Ok(holder) => to.push(holder.id().clone()),
                Err(CommandError::Store(error)) => return Err(error.into()),
                // It has ended, or was not isolated yet.
                Err(_) => {}
            }
        }
        if to.is_empty() {
            let detail = "no isolation that this source asked for holds this endpoint";
            return Ok(refused("nothing_to_release", detail, Some(target)));
        }
        Ok(Transition::Delegated { to, target })
    }

    /// Releases the endpoints of decisions that were asked to.
    pub(super) async fn release(
        &self,
        asked: Vec<Decision>,
        deadline: Option<Duration>,
    ) -> Vec<(Decision, Result<(), EngineError>)> {
        let mut by_tenant: BTreeMap<String, Vec<Decision>> = BTreeMap::new();
        for decision in asked {
            let tenant = decision.target().map(|target| target.tenant.clone()).unwrap_or_default();
            by_tenant.entry(tenant).or_default().push(decision);
        }
        let mut all = Vec::new();
        for (id, decisions) in by_tenant {
            let tenant = match self.tenant(&TenantId::from(id.as_str()), deadline).await {
                Ok(tenant) => tenant,
                Err(error) => {
                    let failed = |decision| (decision, Err(error.clone().into()));
                    all.extend(decisions.into_iter().map(failed));
                    continue;
                }
            };
            let mut ours = Vec::new();
            for mut decision in decisions {
                match self.prepare_release(&tenant, &mut decision).await {
                    Ok(true) => ours.push(decision),
                    Ok(false) => all.push((decision, Ok(()))),
                    Err(error) => all.push((decision, Err(error))),
                }
            }
            let mut ours = ours.into_iter().peekable();
            while ours.peek().is_some() {
                let batch: Vec<_> = ours.by_ref().take(MAX_IDS).collect();
                all.extend(self.release_batch(&tenant, batch).await);
            }
        }
        all
    }

    /// Whether the endpoint is still isolated on this decision's account, and on
    /// no other's. Otherwise the decision ends here, or waits for another that
    /// is about to take the endpoint over.
    async fn prepare_release(
        &self,
        tenant: &TenantClient<T>,
        decision: &mut Decision,
    ) -> Result<bool, EngineError> {
        let Some(target) = decision.target().cloned() else { return Ok(false) };
        let now = self.now().as_secs();
        let is_calling = |decision: &Decision| decision.call_lease_until().is_some_and(|until| until > now);
        // Its isolation may still be on its way: what is released before that
        // would stay isolated.
        if is_calling(decision) {
            return Ok(false);
        }
        let state = match tenant.send(&GetIsolation::new(target.endpoint.as_str())).await {
            Ok(state) => state,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                self.record_transition(
                    decision,
                    Transition::Superseded { detail: ENDPOINT_DELETED.to_owned() },
                )
                .await?;
                return Ok(false);
            }
            Err(error) => return Err(error.into()),
        };
        let comment = state.comment.as_deref().unwrap_or_default();
        if state.enabled == Some(false) && decision.requested_at().is_none() {
            let detail = "the isolation had not been carried out".to_owned();
            self.record_transition(decision, Transition::Released { detail, effective_at: None }).await?;
            return Ok(false);
        }
        if state.enabled == Some(false) || !decision.owns_comment(comment) {
            let detail = if state.enabled == Some(false) {
                "somebody else had ended the isolation".to_owned()
            } else {
                let comment = clean(&tenant.scrub(comment));
                format!("somebody else has isolated the endpoint since, and may release it: {comment}")
            };
            self.record_transition(decision, Transition::Superseded { detail }).await?;
            return Ok(false);
        }
        // Whoever is to release as well holds no more, so the last to begin
        // does. One that does not know the comment would not release: its own
        // isolation was ended, and it has not seen that yet.
        let others = self.other_claimants(&target, decision.id()).await?;
        let takes_over = |other: &&Decision| {
            matches!(other.state(), DecisionState::Requested | DecisionState::Isolated)
                && other.owns_comment(comment)
        };
        if let Some(other) = others.iter().find(takes_over) {
            self.record_transition(decision, Transition::Transferred { to: other.id().clone() }).await?;
            return Ok(false);
        }
        Ok(!others.iter().any(is_calling))
    }

    async fn release_batch(
        &self,
        tenant: &TenantClient<T>,
        batch: Vec<Decision>,
    ) -> Vec<(Decision, Result<(), EngineError>)> {
        let wish = |decision: &Decision| IsolationRequest {
            endpoint: decision.target().map(|target| target.endpoint.clone()).unwrap_or_default(),
            comment_tag: decision.comment_tag().unwrap_or_default().to_owned(),
        };
        let wishes: Vec<_> = batch.iter().map(wish).collect();
        let comment = match batch.as_slice() {
            [one] => format!("{}: released", one.id()),
            several => format!("released by {} decisions, see the ledger", several.len()),
        };
        let mut all = Vec::with_capacity(batch.len());
        for (mut decision, settled) in batch.into_iter().zip(apply(tenant, &wishes, false, &comment).await) {
            let outcome = match settled {
                RequestResult::Applied(_) | RequestResult::External(_) => {
                    self.record_transition(&mut decision, Transition::ReleaseRequested).await.map(drop)
                }
                RequestResult::Failed(error) => Err(error.into()),
            };
            all.push((decision, outcome));
        }
        all
    }
}
