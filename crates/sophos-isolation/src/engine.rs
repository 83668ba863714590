//! Decisions carried out: the endpoint found, isolated, watched and released.
//!
//! Every step is in the ledger before or after the call that it is about, so
//! that a run may end anywhere: whatever is left is on the agenda, and the next
//! run reads the state at the service before it calls again.

mod budget;
mod claim;
mod endpoint_status;
mod episode;
mod evaluate;
mod follow_up;
mod isolate;
mod lookup;
mod prepare;
mod publish;
mod release;

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use futures_util::StreamExt;
use sophos_api::{Client, ErrorKind, TenantClient, TenantId, Transport, operations::isolation::MAX_IDS};

pub use follow_up::FollowUpReport;

use crate::{
    approval::ApprovalLinks,
    decision::{Decision, DecisionId, DecisionState},
    ledger::{Ledger, LedgerStore, LedgerStoreError},
    outcome::OutcomePublisher,
    policy::Policy,
};

/// How long a run has for its call, before another may look whether it died,
/// unless [`Engine::with_lease`] says otherwise.
const DEFAULT_LEASE: Duration = Duration::from_secs(90);

/// After so long a call that is never carried out is given up.
const GIVE_UP_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

/// Decisions that are prepared at once.
const CONCURRENCY: usize = 8;

/// Why a decision was not taken further. Nothing is lost: it is still on the
/// agenda, and may be handed in again.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// The ledger's store failed.
    #[error(transparent)]
    Store(#[from] LedgerStoreError),
    /// Sophos Central failed or refused, and not for this decision alone.
    #[error(transparent)]
    Service(#[from] sophos_api::Error),
    /// The outcome is in the ledger, and could not be published.
    #[error("the outcome of {id} could not be published: {cause}")]
    PublishFailed {
        /// The decision.
        id: DecisionId,
        /// Why not.
        cause: String,
    },
}

/// What became of one decision in one call of [`Engine::process`].
#[derive(Debug)]
pub struct ProcessedDecision {
    /// The decision.
    pub id: DecisionId,
    /// Where it stands now; `None` when there is no decision of this id.
    ///
    /// # Errors
    /// When it is to be handed in again.
    pub result: Result<Option<DecisionState>, EngineError>,
}

/// Carries out decisions with one credential.
pub struct Engine<T, O, N> {
    client: Client<T>,
    /// Of tenants with a credential of their own.
    tenant_clients: HashMap<TenantId, Client<T>>,
    ledger: Ledger<O>,
    publisher: N,
    approval_links: Option<ApprovalLinks>,
    lease: Duration,
    /// Handles of tenants, which cost a partner's credential a request each.
    tenant_handles: Mutex<HashMap<TenantId, TenantClient<T>>>,
    /// The size of each tenant's estate, and when it was asked for.
    estate_sizes: Mutex<HashMap<String, (Duration, u64)>>,
}

impl<T, O, N> std::fmt::Debug for Engine<T, O, N> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").finish_non_exhaustive()
    }
}

impl<T, O, N> Engine<T, O, N>
where
    T: Transport + 'static,
    O: LedgerStore,
    N: OutcomePublisher,
{
    /// An engine of this credential's client, this ledger, and a place for
    /// outcomes (`()` for none).
    pub fn new(client: Client<T>, ledger: Ledger<O>, publisher: N) -> Self {
        Self {
            client,
            tenant_clients: HashMap::new(),
            ledger,
            publisher,
            approval_links: None,
            lease: DEFAULT_LEASE,
            tenant_handles: Mutex::default(),
            estate_sizes: Mutex::default(),
        }
    }

    /// With clients of tenants that have a credential of their own: they are
    /// served by these.
    #[must_use]
    pub fn with_tenant_clients(mut self, tenant_clients: HashMap<TenantId, Client<T>>) -> Self {
        self.tenant_clients = tenant_clients;
        self
    }

    /// With links by which a person approves, in the outcomes of decisions that
    /// wait.
    #[must_use]
    pub fn with_approval_links(mut self, approval_links: Option<ApprovalLinks>) -> Self {
        self.approval_links = approval_links;
        self
    }

    /// With another time that a run has for its call, before another may look
    /// whether it died: longer than a run can last. It is 90 seconds otherwise.
    #[must_use]
    pub fn with_lease(mut self, lease: Duration) -> Self {
        self.lease = lease;
        self
    }

    /// The ledger.
    pub fn ledger(&self) -> &Ledger<O> {
        &self.ledger
    }

    /// The client.
    pub fn client(&self) -> &Client<T> {
        &self.client
    }

    /// Takes decisions as far as they go: those that nobody has worked on are
    /// judged, and what may be isolated is. Endpoints of one tenant are isolated
    /// in one request, up to the service's limit.
    ///
    /// No wait goes past `stop_at`, in the time of the transport. To hand in a
    /// decision again is safe, at any time and to several runs at once.
    pub async fn process(
        &self,
        policy: &Policy,
        ids: &[DecisionId],
        deadline: Option<Duration>,
    ) -> Vec<ProcessedDecision> {
        let mut ids = ids.to_vec();
        ids.sort_unstable();
        ids.dedup();
        let mut worked = Vec::with_capacity(ids.len());
        // Claims are for a moment: no more are made than are called for next.
        for some in ids.chunks(MAX_IDS) {
            worked.extend(self.process_batch(policy, some, deadline).await);
        }
        worked
    }

    async fn process_batch(
        &self,
        policy: &Policy,
        ids: &[DecisionId],
        deadline: Option<Duration>,
    ) -> Vec<ProcessedDecision> {
        let mark = isolate::comment_tag(ids);
        let mark = &mark;
        let prepare = |id: DecisionId| async move {
            let prepared = Box::pin(self.prepare(policy, &id, mark, deadline)).await;
            (id, prepared)
        };
        let prepared: Vec<_> = futures_util::stream::iter(ids.iter().cloned())
            .map(prepare)
            .buffer_unordered(CONCURRENCY)
            .collect()
            .await;
        let mut worked = Vec::with_capacity(prepared.len());
        let mut ready = Vec::new();
        for (id, outcome) in prepared {
            match outcome {
                Ok(prepare::Prepared::Ready(decision)) => ready.push(*decision),
                Ok(prepare::Prepared::Unknown) => worked.push(ProcessedDecision { id, result: Ok(None) }),
                Ok(prepare::Prepared::NothingToDo(decision)) => {
                    let outcome = self.finish(&decision).await;
                    worked.push(ProcessedDecision { id, result: outcome.map(|()| Some(decision.state())) });
                }
                Err(error) => worked.push(ProcessedDecision { id, result: Err(error) }),
            }
        }
        for (decision, outcome) in self.isolate(ready, deadline).await {
            let outcome = match outcome {
                Ok(()) => self.finish(&decision).await.map(|()| Some(decision.state())),
                Err(error) => Err(error),
            };
            worked.push(ProcessedDecision { id: decision.id().clone(), result: outcome });
        }
        worked
    }

    /// What follows from where a decision stands now: outcomes are published,
    /// and what a decision held that has ended is given back.
    async fn finish(&self, decision: &Decision) -> Result<(), EngineError> {
        if decision.state().is_final() {
            self.release_claim(decision).await?;
        }
        self.publish(decision).await
    }

    /// The time, by the transport's clock.
    fn now(&self) -> Duration {
        self.client.transport().now()
    }

    /// The service's time, or ours as long as it has not told it.
    fn service_now(&self) -> Duration {
        self.client.service_time().unwrap_or_else(|| self.now())
    }

    /// A handle of a tenant.
    async fn tenant(
        &self,
        id: &TenantId,
        deadline: Option<Duration>,
    ) -> Result<TenantClient<T>, sophos_api::Error> {
        let client = self.tenant_clients.get(id).unwrap_or(&self.client).with_optional_deadline(deadline);
        let known = lock(&self.tenant_handles).get(id).cloned();
        if let Some(handle) = known {
            return Ok(handle.with_client(&client));
        }
        let handle = client.tenant(id.as_str()).await?;
        lock(&self.tenant_handles).insert(id.clone(), handle.clone());
        Ok(handle)
    }
}

fn lock<V>(mutex: &Mutex<V>) -> std::sync::MutexGuard<'_, V> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether a failure is about this decision's endpoint or tenant alone and will
/// be the same tomorrow.
fn is_permanent(error: &sophos_api::Error) -> bool {
    matches!(error.kind(), ErrorKind::Forbidden | ErrorKind::NotFound | ErrorKind::WrongCredentialType)
}
