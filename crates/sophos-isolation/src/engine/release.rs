//! The end of an isolation: when its time is up or somebody asks. What others
//! have isolated, or have made theirs, is left to them.

use std::{collections::BTreeMap, time::Duration};

use sophos_api::{
    Caller, ErrorKind, TenantClient, TenantId, Transport,
    operations::isolation::{GetIsolation, MOST_IDS},
};

use super::{
    Engine, EngineError,
    isolate::{Settled, Wish, settle},
    prepare::refused,
};
use crate::{
    approval::AnswerError,
    decision::{Decision, State, Step, Target},
    ledger::Objects,
    outcome::Outcomes,
    policy::Source,
    signal::clean,
};

/// What ends a decision whose endpoint is no more.
pub(super) const DELETED: &str = "the endpoint was deleted in Sophos Central";

impl<T, O, N> Engine<T, O, N>
where
    T: Transport + 'static,
    O: Objects,
    N: Outcomes,
{
    /// Asks the decisions of a source that hold an endpoint to release it.
    pub(super) async fn forward_release(&self, target: Target, source: &Source) -> Result<Step, EngineError> {
        // No decision has this id: it is nobody's own.
        let nobody = crate::decision::DecisionId::of("", "");
        let mut to = Vec::new();
        let mut holders = self.others(&target, &nobody).await?;
        holders.retain(|holder| holder.received().is_some_and(|received| received.source == source.name));
        for holder in holders {
            let asked = self.ledger.ask_release(holder.id(), &source.name, self.now()).await;
            match asked {
                Ok(holder) => to.push(holder.id().clone()),
                Err(AnswerError::Store(error)) => return Err(error.into()),
                // It has ended, or was not isolated yet.
                Err(_) => {}
            }
        }
        if to.is_empty() {
            let detail = "no isolation that this source asked for holds this endpoint";
            return Ok(refused("nothing_to_release", detail, Some(target)));
        }
        Ok(Step::Forwarded { to, target })
    }

    /// Releases the endpoints of decisions that were asked to.
    pub(super) async fn release(
        &self,
        asked: Vec<Decision>,
        stop_at: Option<Duration>,
    ) -> Vec<(Decision, Result<(), EngineError>)> {
        let mut by_tenant: BTreeMap<String, Vec<Decision>> = BTreeMap::new();
        for decision in asked {
            let tenant = decision.target().map(|target| target.tenant.clone()).unwrap_or_default();
            by_tenant.entry(tenant).or_default().push(decision);
        }
        let mut all = Vec::new();
        for (id, decisions) in by_tenant {
            let tenant = match self.tenant(&TenantId::from(id.as_str()), stop_at).await {
                Ok(tenant) => tenant,
                Err(error) => {
                    let failed = |decision| (decision, Err(error.clone().into()));
                    all.extend(decisions.into_iter().map(failed));
                    continue;
                }
            };
            let mut ours = Vec::new();
            for mut decision in decisions {
                match self.is_ours(&tenant, &mut decision).await {
                    Ok(true) => ours.push(decision),
                    Ok(false) => all.push((decision, Ok(()))),
                    Err(error) => all.push((decision, Err(error))),
                }
            }
            let mut ours = ours.into_iter().peekable();
            while ours.peek().is_some() {
                let batch: Vec<_> = ours.by_ref().take(MOST_IDS).collect();
                all.extend(self.release_batch(&tenant, batch).await);
            }
        }
        all
    }

    /// Whether the endpoint is still isolated on this decision's account, and on
    /// no other's. Otherwise the decision ends here, or waits for another that
    /// is about to take the endpoint over.
    async fn is_ours(&self, tenant: &TenantClient<T>, decision: &mut Decision) -> Result<bool, EngineError> {
        let Some(target) = decision.target().cloned() else { return Ok(false) };
        let now = self.now().as_secs();
        let is_calling = |decision: &Decision| decision.calls_until().is_some_and(|until| until > now);
        // Its isolation may still be on its way: what is released before that
        // would stay isolated.
        if is_calling(decision) {
            return Ok(false);
        }
        let state = match tenant.send(&GetIsolation { endpoint_id: target.endpoint.clone() }).await {
            Ok(state) => state,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                self.step(decision, Step::TakenOver { detail: DELETED.to_owned() }).await?;
                return Ok(false);
            }
            Err(error) => return Err(error.into()),
        };
        let comment = state.comment.as_deref().unwrap_or_default();
        if state.enabled == Some(false) && decision.requested_at().is_none() {
            let detail = "the isolation had not been carried out".to_owned();
            self.step(decision, Step::Released { detail, effective_at: None }).await?;
            return Ok(false);
        }
        if state.enabled == Some(false) || !decision.knows(comment) {
            let detail = if state.enabled == Some(false) {
                "somebody else had ended the isolation".to_owned()
            } else {
                let comment = clean(&tenant.scrub(comment));
                format!("somebody else has isolated the endpoint since, and may release it: {comment}")
            };
            self.step(decision, Step::TakenOver { detail }).await?;
            return Ok(false);
        }
        // Whoever is to release as well holds no more, so the last to begin
        // does. One that does not know the comment would not release: its own
        // isolation was ended, and it has not seen that yet.
        let others = self.others(&target, decision.id()).await?;
        let takes_over = |other: &&Decision| {
            matches!(other.state(), State::Requested | State::Isolated) && other.knows(comment)
        };
        if let Some(other) = others.iter().find(takes_over) {
            self.step(decision, Step::HandedOver { to: other.id().clone() }).await?;
            return Ok(false);
        }
        Ok(!others.iter().any(is_calling))
    }

    async fn release_batch(
        &self,
        tenant: &TenantClient<T>,
        batch: Vec<Decision>,
    ) -> Vec<(Decision, Result<(), EngineError>)> {
        let wish = |decision: &Decision| Wish {
            endpoint: decision.target().map(|target| target.endpoint.clone()).unwrap_or_default(),
            mark: decision.mark().unwrap_or_default().to_owned(),
        };
        let wishes: Vec<_> = batch.iter().map(wish).collect();
        let comment = match batch.as_slice() {
            [one] => format!("{}: released", one.id()),
            several => format!("released by {} decisions, see the ledger", several.len()),
        };
        let mut all = Vec::with_capacity(batch.len());
        for (mut decision, settled) in batch.into_iter().zip(settle(tenant, &wishes, false, &comment).await) {
            let outcome = match settled {
                Settled::Done(_) | Settled::Foreign(_) => {
                    self.step(&mut decision, Step::ReleaseRequested).await.map(drop)
                }
                Settled::Not(error) => Err(error.into()),
            };
            all.push((decision, outcome));
        }
        all
    }
}
