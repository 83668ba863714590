//! The engine: it resolves, isolates, confirms and releases endpoints.
//!
//! The ledger records each transition before or after the call that it belongs
//! to, so a run may end anywhere. Unfinished decisions stay scheduled. The next
//! run reads the state at Sophos Central before it calls again.

mod budget;
mod budget_usage;
mod claim;
mod endpoint_status;
mod episode;
mod evaluate;
mod follow_up;
mod isolate;
mod isolation_call;
mod lookup;
mod prepare;
mod publish;
mod record;
mod release;

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use futures_util::StreamExt;
use sophos_api::{
    Client, ErrorKind, TenantClient, TenantId, Transport, operations::endpoint::isolation::MAX_IDS,
};

pub use budget_usage::BudgetUsage;
pub use follow_up::{FollowUpReport, FollowUpScope};

use crate::{
    approval::ApprovalLinks,
    backend_error::BackendError,
    decision::{Decision, DecisionId, DecisionState, comment_tag},
    ledger::{Ledger, LedgerStore, LedgerStoreError},
    outcome::OutcomePublisher,
    policy::Policy,
};

/// The default lease of a claim; see [`Engine::with_lease`].
const DEFAULT_LEASE: Duration = Duration::from_secs(90);

/// The age at which the engine gives up on a decision whose call keeps failing.
const GIVE_UP_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

/// The number of decisions that are prepared concurrently.
const CONCURRENCY: usize = 8;

/// The failure of one decision. The decision stays scheduled and can be
/// processed again.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// The ledger's store failed.
    #[error(transparent)]
    Store(#[from] LedgerStoreError),
    /// Sophos Central failed or refused, and not for this decision alone.
    #[error(transparent)]
    Service(#[from] sophos_api::Error),
    /// The ledger has the outcome, and publishing it failed.
    #[error("publishing the outcome of {id} failed: {cause}")]
    PublishFailed {
        /// The decision.
        id: DecisionId,
        /// The cause.
        #[source]
        cause: BackendError,
    },
}

/// The result of one decision in one call of [`Engine::process`].
#[derive(Debug)]
pub struct ProcessedDecision {
    /// The decision.
    pub id: DecisionId,
    /// The state of the decision; `None` when the ledger has no decision with
    /// this id.
    ///
    /// # Errors
    /// When the decision must be processed again.
    pub result: Result<Option<DecisionState>, EngineError>,
}

/// Carries out decisions, with one credential and those of single tenants.
pub struct Engine<T, O, N> {
    client: Client<T>,
    /// Clients of the tenants that have their own credential.
    tenant_clients: HashMap<TenantId, Client<T>>,
    ledger: Ledger<O>,
    publisher: N,
    approval_links: Option<ApprovalLinks>,
    lease: Duration,
    /// Handles of tenants. A partner's credential needs a request for each.
    tenant_handles: Mutex<HashMap<TenantId, TenantClient<T>>>,
    /// The number of each tenant's endpoints, and the time of the count.
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
    /// Creates an engine from a client, a ledger and a publisher of outcomes (`()`
    /// for none).
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

    /// Sets the clients of the tenants that have their own credential.
    #[must_use]
    pub fn with_tenant_clients(mut self, tenant_clients: HashMap<TenantId, Client<T>>) -> Self {
        self.tenant_clients = tenant_clients;
        self
    }

    /// Sets the approval links, which go into the outcomes of decisions that
    /// await approval.
    #[must_use]
    pub fn with_approval_links(mut self, approval_links: Option<ApprovalLinks>) -> Self {
        self.approval_links = approval_links;
        self
    }

    /// Sets the lease of a claim; 90 seconds by default. After it another run may
    /// take the decision up. It must exceed the longest duration of a run.
    #[must_use]
    pub fn with_lease(mut self, lease: Duration) -> Self {
        self.lease = lease;
        self
    }

    /// Returns the ledger.
    pub fn ledger(&self) -> &Ledger<O> {
        &self.ledger
    }

    /// Returns the client.
    pub fn client(&self) -> &Client<T> {
        &self.client
    }

    /// Processes decisions: evaluates new ones, and isolates the endpoints that the
    /// policy allows. One request isolates up to 50 endpoints of a tenant.
    ///
    /// Waits end at `deadline`, by the transport's clock. Processing a decision
    /// again is safe at any time, also in concurrent runs.
    pub async fn process(
        &self,
        policy: &Policy,
        ids: &[DecisionId],
        deadline: Option<Duration>,
    ) -> Vec<ProcessedDecision> {
        let mut ids = ids.to_vec();
        ids.sort_unstable();
        ids.dedup();
        let mut processed = Vec::with_capacity(ids.len());
        // Claims expire, so a batch claims only what the next request isolates.
        for batch in ids.chunks(MAX_IDS) {
            processed.extend(self.process_batch(policy, batch, deadline).await);
        }
        processed
    }

    async fn process_batch(
        &self,
        policy: &Policy,
        ids: &[DecisionId],
        deadline: Option<Duration>,
    ) -> Vec<ProcessedDecision> {
        let tag = comment_tag::for_decisions(ids);
        let tag = &tag;
        let prepare = |id: DecisionId| async move {
            let prepared = Box::pin(self.prepare(policy, &id, tag, deadline)).await;
            (id, prepared)
        };
        let prepared: Vec<_> = futures_util::stream::iter(ids.iter().cloned())
            .map(prepare)
            .buffer_unordered(CONCURRENCY)
            .collect()
            .await;
        let mut processed = Vec::with_capacity(prepared.len());
        let mut ready = Vec::new();
        for (id, result) in prepared {
            let result = match result {
                Ok(prepare::Prepared::Ready(decision)) => {
                    ready.push(*decision);
                    continue;
                }
                Ok(prepare::Prepared::Unknown) => Ok(None),
                Ok(prepare::Prepared::NothingToDo(decision)) => {
                    self.finish(&decision).await.map(|()| Some(decision.state()))
                }
                Err(error) => Err(error),
            };
            processed.push(ProcessedDecision { id, result });
        }
        for (decision, result) in self.isolate(ready, deadline).await {
            let result = match result {
                Ok(()) => self.finish(&decision).await.map(|()| Some(decision.state())),
                Err(error) => Err(error),
            };
            processed.push(ProcessedDecision { id: decision.id().clone(), result });
        }
        processed
    }

    /// Publishes outcomes, and releases the claim and permits of a decision that
    /// has ended.
    async fn finish(&self, decision: &Decision) -> Result<(), EngineError> {
        if decision.state().is_final() {
            self.release_claim(decision).await?;
        }
        self.publish(decision).await
    }

    /// Returns the time by the transport's clock.
    fn now(&self) -> Duration {
        self.client.transport().now()
    }

    /// Returns Sophos Central's time, or the transport's before the first response.
    fn service_now(&self) -> Duration {
        self.client.service_time().unwrap_or_else(|| self.now())
    }

    /// Returns the handle of a tenant.
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

/// Whether a failure concerns only this decision's endpoint or tenant, and a
/// retry would not help.
fn is_permanent(error: &sophos_api::Error) -> bool {
    matches!(error.kind(), ErrorKind::Forbidden | ErrorKind::NotFound | ErrorKind::WrongCredentialType)
}
