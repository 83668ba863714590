//! The call that isolates, and what its answer means.

use std::{collections::BTreeMap, time::Duration};

use sophos_api::{
    Caller, ErrorKind, TenantClient, TenantId, Transport,
    operations::isolation::{GetIsolation, MOST_IDS, UpdateIsolations},
};

use super::{
    Engine, EngineError,
    hold::Account,
    prepare::{RELEASING, STOPPED, refused},
};
use crate::{
    decision::{Asked, Decision, DecisionId, Step, is_marked},
    ledger::Objects,
    outcome::Outcomes,
    policy::Policy,
    signal::clean,
    stop::Stop,
};

/// The longest comment that the service takes, in characters.
const LONGEST_COMMENT: usize = 400;

/// What the comments at the service hold, so that an isolation is known again.
pub(super) fn mark(ids: &[DecisionId]) -> String {
    match ids {
        [one] => one.to_string(),
        // The ledger has the mark of each.
        several => DecisionId::batch_mark(several),
    }
}

/// What the service did with one endpoint.
pub(super) enum Settled {
    /// It accepted the call, or the state shows that it was carried out.
    Done(Asked),
    /// The state is as wanted, and somebody else's comment is on it.
    Foreign(String),
    /// It was not carried out.
    Not(sophos_api::Error),
}

impl<T, O, N> Engine<T, O, N>
where
    T: Transport + 'static,
    O: Objects,
    N: Outcomes,
{
    /// Isolates the endpoints of claimed decisions, tenant by tenant.
    pub(super) async fn isolate(
        &self,
        _policy: &Policy,
        claimed: Vec<Decision>,
        stop_at: Option<Duration>,
    ) -> Vec<(Decision, Result<(), EngineError>)> {
        let mut by_tenant: BTreeMap<String, Vec<Decision>> = BTreeMap::new();
        for decision in claimed {
            let tenant = decision.claim().map(|claim| claim.target.tenant.clone()).unwrap_or_default();
            by_tenant.entry(tenant).or_default().push(decision);
        }
        let mut all = Vec::new();
        for (tenant, decisions) in by_tenant {
            let mut decisions = decisions.into_iter().peekable();
            while decisions.peek().is_some() {
                let batch: Vec<_> = decisions.by_ref().take(MOST_IDS).collect();
                // After its lease another run may be at it.
                let leases = batch.iter().filter_map(Decision::claim).map(|claim| claim.lease_until);
                let until = leases.map(Duration::from_secs).chain(stop_at).min();
                let tenant = self.tenant(&TenantId::from(tenant.as_str()), until).await;
                all.extend(self.isolate_batch(tenant, batch).await);
            }
        }
        all
    }

    async fn isolate_batch(
        &self,
        tenant: Result<TenantClient<T>, sophos_api::Error>,
        batch: Vec<Decision>,
    ) -> Vec<(Decision, Result<(), EngineError>)> {
        match self.ledger.stop().await {
            Ok(None) => {}
            Ok(Some(stop)) => return self.stop_batch(batch, &stop).await,
            Err(failure) => {
                let failed = |decision| (decision, Err(failure.clone().into()));
                return batch.into_iter().map(failed).collect();
            }
        }
        let wishes: Vec<_> = batch.iter().filter_map(wish).collect();
        let comment = comment(&batch);
        let settled = match tenant {
            Ok(tenant) => settle(&tenant, &wishes, true, &comment).await,
            Err(error) => wishes.iter().map(|_| Settled::Not(error.clone())).collect(),
        };
        let mut all = Vec::with_capacity(batch.len());
        for (mut decision, settled) in batch.into_iter().zip(settled) {
            let outcome = self.record(&mut decision, settled).await;
            all.push((decision, outcome));
        }
        all
    }

    /// Refuses claimed decisions, of which no call was made.
    async fn stop_batch(
        &self,
        batch: Vec<Decision>,
        stop: &Stop,
    ) -> Vec<(Decision, Result<(), EngineError>)> {
        let mut all = Vec::with_capacity(batch.len());
        for mut decision in batch {
            let step = refused(STOPPED, &stop.to_string(), decision.target().cloned());
            let outcome = self.step(&mut decision, step).await.map(drop);
            all.push((decision, outcome));
        }
        all
    }

    async fn record(&self, decision: &mut Decision, settled: Settled) -> Result<(), EngineError> {
        let step = match settled {
            Settled::Done(how) => Step::Requested { how, mark: None },
            Settled::Foreign(comment) => {
                let Some(claim) = decision.claim().cloned() else { return Ok(()) };
                match self.on_account(&claim.target, decision.id(), &comment).await? {
                    // Two decisions of this ledger met at the same endpoint.
                    Account::Holds { mark } => Step::Requested { how: Asked::Joined, mark: Some(mark) },
                    Account::Releases => self.soon(RELEASING),
                    Account::Foreign => {
                        Step::AlreadyIsolated { target: claim.target, comment: clean(&comment) }
                    }
                }
            }
            Settled::Not(error) => self.put_off(decision, &error, self.now()),
        };
        // If another run took a step meanwhile, the lease was over: it has read
        // the state as well.
        if !self.step(decision, step).await?
            && let Some(current) = self.ledger.decision(decision.id()).await?
        {
            *decision = current;
        }
        Ok(())
    }
}

/// An endpoint, and the mark that its isolation has.
pub(super) struct Wish {
    pub(super) endpoint: String,
    pub(super) mark: String,
}

fn wish(decision: &Decision) -> Option<Wish> {
    let claim = decision.claim()?;
    Some(Wish { endpoint: claim.target.endpoint.clone(), mark: claim.mark.clone() })
}

fn comment(batch: &[Decision]) -> String {
    let mark = batch.first().and_then(Decision::claim).map(|claim| claim.mark.as_str()).unwrap_or_default();
    let text = match batch {
        [one] => match one.received() {
            Some(received) => format!("{mark}: {}: {}", received.source, received.signal.title),
            None => mark.to_owned(),
        },
        several => format!("{mark}: one of {} endpoints, see the ledger", several.len()),
    };
    text.chars().take(LONGEST_COMMENT).collect()
}

/// Asks for one state of several endpoints, and finds out for each what came of
/// it: an answer is compared id by id, and whatever leaves anything open is
/// settled by reading the state.
pub(super) async fn settle<T: Transport>(
    tenant: &TenantClient<T>,
    wishes: &[Wish],
    enabled: bool,
    comment: &str,
) -> Vec<Settled> {
    let mut ids: Vec<String> = wishes.iter().map(|wish| wish.endpoint.clone()).collect();
    ids.sort_unstable();
    ids.dedup();
    let several = ids.len() > 1;
    let call = UpdateIsolations { ids, enabled, comment: Some(comment.to_owned()) };
    let (accepted, failure) = match tenant.send(&call).await {
        Ok(answer) => {
            let items = answer.into_inner().items.unwrap_or_default();
            let accepts = |state: Option<bool>| state.is_none_or(|state| state == enabled);
            let accepted = items
                .into_iter()
                .filter(|item| accepts(item.isolation.as_ref().and_then(|isolation| isolation.enabled)));
            (accepted.map(|item| item.id.to_ascii_lowercase()).collect::<Vec<_>>(), None)
        }
        Err(error) => (Vec::new(), Some(error)),
    };
    let mut all = Vec::with_capacity(wishes.len());
    for wish in wishes {
        if accepted.contains(&wish.endpoint) {
            all.push(Settled::Done(Asked::Accepted));
            continue;
        }
        // One endpoint in the way of a batch must not keep the others from it.
        let alone = several && failure.as_ref().is_none_or(is_about_the_endpoints);
        all.push(if alone {
            settle_one(tenant, wish, enabled, comment).await
        } else {
            read(tenant, wish, enabled, failure.clone()).await
        });
    }
    all
}

async fn settle_one<T: Transport>(
    tenant: &TenantClient<T>,
    wish: &Wish,
    enabled: bool,
    comment: &str,
) -> Settled {
    let call =
        UpdateIsolations { ids: vec![wish.endpoint.clone()], enabled, comment: Some(comment.to_owned()) };
    match tenant.send(&call).await {
        Ok(answer) => {
            let items = answer.into_inner().items.unwrap_or_default();
            if items.iter().any(|item| item.id.eq_ignore_ascii_case(&wish.endpoint)) {
                Settled::Done(Asked::Accepted)
            } else {
                read(tenant, wish, enabled, None).await
            }
        }
        Err(error) => read(tenant, wish, enabled, Some(error)).await,
    }
}

/// What the state says after a call that did not say it.
async fn read<T: Transport>(
    tenant: &TenantClient<T>,
    wish: &Wish,
    enabled: bool,
    failure: Option<sophos_api::Error>,
) -> Settled {
    // A refusal for the rate was not carried out, and asking more would not help.
    if let Some(error) = failure.as_ref().filter(|error| error.kind() == ErrorKind::Throttled) {
        return Settled::Not(error.clone());
    }
    match tenant.send(&GetIsolation { endpoint_id: wish.endpoint.clone() }).await {
        Ok(state) if state.enabled == Some(enabled) => {
            let comment = state.comment.as_deref().unwrap_or_default();
            if !enabled || is_marked(comment, &wish.mark) {
                Settled::Done(Asked::FoundDone)
            } else {
                Settled::Foreign(tenant.scrub(comment).into_owned())
            }
        }
        Ok(_) => Settled::Not(failure.unwrap_or_else(|| {
            sophos_api::Error::invalid(
                "the service left this endpoint out of its answer, and changed nothing",
            )
        })),
        Err(error) => {
            Settled::Not(failure.filter(|failure| !is_about_the_endpoints(failure)).unwrap_or(error))
        }
    }
}

/// Whether a refusal is about one of the endpoints, so that others may fare
/// better by themselves.
fn is_about_the_endpoints(error: &sophos_api::Error) -> bool {
    matches!(error.kind(), ErrorKind::Conflict | ErrorKind::Invalid | ErrorKind::NotFound)
}
