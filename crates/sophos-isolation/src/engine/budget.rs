//! The budgets of the policy: isolations per hour of a source and of a tenant,
//! the share of a tenant's endpoints that may be isolated at once, and lookups
//! per hour of a source.

use std::{collections::HashSet, time::Duration};

use sophos_api::{
    ApiClient, TenantClient, Transport,
    models::{EndpointView, IsolationStatus},
    operations::endpoint::endpoints::ListEndpoints,
};

use super::{Engine, EngineError, lock};
use crate::{
    decision::{Decision, IsolationTarget},
    ledger::{LedgerStore, LedgerStoreError, paths},
    outcome::OutcomePublisher,
    permits::{self, Permit, PermitHolder},
    policy::{Policy, Source},
};

/// The number of endpoints in a page.
const PAGE_SIZE: u32 = 500;

/// The time for which a tenant's number of endpoints is cached.
const ESTATE_SIZE_TTL: Duration = Duration::from_secs(600);

/// The age at which a permit counts as abandoned when its decision has no claim.
const ABANDONED_AFTER_SECONDS: u64 = 900;

/// A budget that is exhausted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum BudgetExhausted {
    #[error("the source \"{source_name}\" has used its {max} isolations of this hour")]
    Source { max: u32, source_name: String },
    #[error("the tenant has used its {max} isolations of this hour")]
    Tenant { max: u32 },
    #[error("{isolated} of the tenant's {estate} endpoints are isolated, and the policy allows {max}")]
    Estate { isolated: u64, estate: u64, max: u64 },
    #[error("the source \"{source_name}\" has used its {max} lookups of this hour")]
    Lookups { max: u32, source_name: String },
}

/// The reason why a permit was not acquired.
#[derive(Debug)]
pub(super) enum PermitError {
    /// The budget is exhausted.
    Exhausted(BudgetExhausted),
    /// The ledger or Sophos Central failed.
    Failed(EngineError),
}

impl<E: Into<EngineError>> From<E> for PermitError {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

impl BudgetExhausted {
    pub(super) fn code(&self) -> &'static str {
        match self {
            Self::Source { .. } => "source_budget",
            Self::Tenant { .. } => "tenant_budget",
            Self::Estate { .. } => "estate_ceiling",
            Self::Lookups { .. } => "lookup_budget",
        }
    }
}

impl<T, O, N> Engine<T, O, N>
where
    T: Transport + 'static,
    O: LedgerStore,
    N: OutcomePublisher,
{
    /// Acquires a permit of each budget. `permits` gets those that were acquired,
    /// also before a failure.
    ///
    /// The source's budget comes first, so an exhausted source takes nothing from
    /// the other sources of its tenants.
    pub(super) async fn acquire_permits(
        &self,
        policy: &Policy,
        decision: &Decision,
        target: &IsolationTarget,
        tenant: &TenantClient<T>,
        permits: &mut Vec<Permit>,
    ) -> Result<(), PermitError> {
        self.acquire_hourly_permits(policy, decision, target, permits).await?;
        let holder = self.permit_holder(decision, target);
        permits.push(self.acquire_estate_permit(policy, target, tenant, &holder).await?);
        Ok(())
    }

    /// Acquires a permit of the hour from the source's and the tenant's budget. A
    /// decision that shares another's isolation needs only these.
    pub(super) async fn acquire_hourly_permits(
        &self,
        policy: &Policy,
        decision: &Decision,
        target: &IsolationTarget,
        permits: &mut Vec<Permit>,
    ) -> Result<(), PermitError> {
        let holder = self.permit_holder(decision, target);
        let hour = holder.since / 3_600;
        let received = decision.received();
        let source_name = received.map(|received| received.source.clone()).unwrap_or_default();
        let max = policy.source(&source_name).map_or(0, |source| source.per_hour);
        let folder = paths::source_permits_folder(hour, &source_name);
        let permit = permits::acquire(self.ledger.store(), &folder, max, &holder).await?;
        let exhausted = || PermitError::Exhausted(BudgetExhausted::Source { max, source_name });
        permits.push(permit.ok_or_else(exhausted)?);

        let max = policy.limits().tenant_per_hour;
        let folder = paths::tenant_permits_folder(hour, &target.tenant);
        let permit = permits::acquire(self.ledger.store(), &folder, max, &holder).await?;
        permits.push(permit.ok_or(PermitError::Exhausted(BudgetExhausted::Tenant { max }))?);
        Ok(())
    }

    fn permit_holder(&self, decision: &Decision, target: &IsolationTarget) -> PermitHolder {
        PermitHolder {
            decision: decision.id().clone(),
            endpoint: target.endpoint.clone(),
            since: self.now().as_secs(),
            attempt_id: self.ledger.next_attempt_id(),
        }
    }

    /// Acquires a lookup permit of the hour for a source, under a name: a decision
    /// that is retried keeps its permit. The permit is used whatever the lookup
    /// finds, as each lookup costs requests to Sophos Central.
    pub(super) async fn acquire_lookup_permit(&self, source: &Source, name: &str) -> Result<(), PermitError> {
        let max = source.lookups_per_hour;
        let folder = paths::lookup_permits_folder(self.now().as_secs() / 3_600, &source.name);
        let path = format!("{folder}/{name}");
        let store = self.ledger.store();
        let is_new = store.create(&path, Vec::new()).await?;
        // Create first, then count: concurrent runs cannot both get the last permit.
        if store.list(&folder).await?.len() <= max as usize {
            return Ok(());
        }
        if is_new {
            store.delete(&path).await?;
        }
        Err(PermitError::Exhausted(BudgetExhausted::Lookups { max, source_name: source.name.clone() }))
    }

    /// Acquires a permit of the tenant's estate share.
    async fn acquire_estate_permit(
        &self,
        policy: &Policy,
        target: &IsolationTarget,
        tenant: &TenantClient<T>,
        holder: &PermitHolder,
    ) -> Result<Permit, PermitError> {
        let estate = self.estate_size(target, tenant).await?;
        let max = policy.limits().max_isolated(estate);
        let isolated = count_endpoints(tenant, Some(IsolationStatus::Isolated)).await?;
        let exhausted = PermitError::Exhausted(BudgetExhausted::Estate { isolated, estate, max });
        if isolated >= max {
            return Err(exhausted);
        }
        let folder = paths::estate_permits_folder(&target.tenant);
        let acquire = |external: u64| {
            let limit = u32::try_from(max.saturating_sub(external)).unwrap_or(u32::MAX);
            let folder = &folder;
            async move { permits::acquire(self.ledger.store(), folder, limit, holder).await }
        };
        // This limit is safe even if all isolations are external.
        if let Some(permit) = acquire(isolated).await? {
            return Ok(permit);
        }
        self.collect_garbage(&folder).await?;
        let external = match isolated {
            0 => 0,
            _ => self.count_external_isolations(tenant, &folder).await?,
        };
        acquire(external).await?.ok_or(exhausted)
    }

    /// Counts the isolated endpoints without a permit: others isolated them.
    async fn count_external_isolations(
        &self,
        tenant: &TenantClient<T>,
        folder: &str,
    ) -> Result<u64, EngineError> {
        let holders = permits::list_holders(self.ledger.store(), folder).await?;
        let ours: HashSet<String> = holders.into_iter().map(|(_, holder)| holder.endpoint).collect();
        let query = ListEndpoints::new()
            .isolation_status(IsolationStatus::Isolated)
            .view(EndpointView::Basic)
            .page_size(PAGE_SIZE);
        let mut external = 0;
        let mut pages = tenant.pages(query);
        while let Some(page) = pages.next().await {
            let is_ours = |id: &str| ours.contains(&id.to_ascii_lowercase());
            // An endpoint that cannot be parsed counts as external.
            let items = page?.items.into_iter().map(|item| item.parse());
            external +=
                items.filter(|item| !item.as_ref().is_ok_and(|item| is_ours(&item.id))).count() as u64;
        }
        Ok(external)
    }

    /// Releases the permits of decisions that have ended, and those whose run died
    /// before its claim.
    async fn collect_garbage(&self, folder: &str) -> Result<(), LedgerStoreError> {
        for (path, holder) in permits::list_holders(self.ledger.store(), folder).await? {
            let keeps = match self.ledger.load_decision(&holder.decision).await {
                Ok(Some(decision)) => {
                    let claimed = decision.claim().is_some_and(|claim| claim.permits.contains(&path));
                    !decision.state().is_final() && claimed
                }
                Ok(None) => false,
                // The decision cannot be read, so it keeps its permit.
                Err(_) => true,
            };
            if !keeps && holder.since + ABANDONED_AFTER_SECONDS < self.now().as_secs() {
                permits::release(self.ledger.store(), &path).await?;
            }
        }
        Ok(())
    }

    /// Returns the number of the tenant's endpoints.
    pub(super) async fn estate_size(
        &self,
        target: &IsolationTarget,
        tenant: &TenantClient<T>,
    ) -> Result<u64, sophos_api::Error> {
        let now = self.now();
        if let Some((at, size)) = lock(&self.estate_sizes).get(&target.tenant)
            && now.saturating_sub(*at) < ESTATE_SIZE_TTL
        {
            return Ok(*size);
        }
        let size = count_endpoints(tenant, None).await?;
        lock(&self.estate_sizes).insert(target.tenant.clone(), (now, size));
        Ok(size)
    }
}

/// Counts endpoints, all or those with a status. A response without a count
/// yields the value that allows fewer isolations.
pub(super) async fn count_endpoints<T: Transport>(
    tenant: &TenantClient<T>,
    status: Option<IsolationStatus>,
) -> Result<u64, sophos_api::Error> {
    let default = if status.is_none() { 0 } else { u64::MAX };
    let mut query = ListEndpoints::new().view(EndpointView::Basic).page_size(1).page_total(true);
    query.isolation_status = status;
    let page = tenant.send(&query).await?;
    Ok(page.pages.items.or(page.pages.total).unwrap_or(default))
}
