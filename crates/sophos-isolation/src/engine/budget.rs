//! The budgets of the policy: isolations an hour for a source and for a
//! tenant, how much of a tenant's estate may be isolated at once, and lookups an
//! hour for a source.

use std::{collections::HashSet, time::Duration};

use sophos_api::{
    ApiClient, TenantClient, Transport,
    models::{EndpointView, IsolationStatus},
    operations::endpoints::ListEndpoints,
};

use super::{Engine, EngineError, lock};
use crate::{
    decision::{Decision, IsolationTarget},
    ledger::{LedgerStore, LedgerStoreError},
    outcome::OutcomePublisher,
    permits::{self, Permit, PermitHolder},
    policy::{Policy, Source},
};

/// Where the slots of estates are.
pub(super) const ESTATE_FOLDER: &str = "permits/estate/";

/// Endpoints a page.
const PAGE_SIZE: u32 = 500;

/// The size of an estate is asked for again after this time.
const ESTATE_SIZE_TTL: Duration = Duration::from_secs(600);

/// A slot whose decision did not get to its claim in this time is nobody's.
const ABANDONED_AFTER_SECONDS: u64 = 900;

/// A budget that is spent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum BudgetExhausted {
    #[error("{max} isolations of the source \"{source_name}\" in this hour are all that the policy allows")]
    Source { max: u32, source_name: String },
    #[error("{max} isolations in the tenant in this hour are all that the policy allows")]
    Tenant { max: u32 },
    #[error("{isolated} of the tenant's {estate} endpoints are isolated, and the policy allows {max}")]
    Estate { isolated: u64, estate: u64, max: u64 },
    #[error(
        "{max} lookups of hosts of the source \"{source_name}\" in this hour are all that the policy allows"
    )]
    Lookups { max: u32, source_name: String },
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
    /// Takes a slot of each budget. What was taken is in `taken`, whatever comes
    /// of it.
    ///
    /// The source's comes first: one that has spent its own takes nothing from
    /// the others of its tenants.
    pub(super) async fn acquire_permits(
        &self,
        policy: &Policy,
        decision: &Decision,
        target: &IsolationTarget,
        tenant: &TenantClient<T>,
        permits: &mut Vec<Permit>,
    ) -> Result<Result<(), BudgetExhausted>, EngineError> {
        if let Err(full) = self.acquire_hourly_permits(policy, decision, target, permits).await? {
            return Ok(Err(full));
        }
        let slot =
            self.acquire_estate_permit(policy, target, tenant, &self.permit_holder(decision, target)).await?;
        Ok(slot.map(|slot| permits.push(slot)))
    }

    /// Takes a slot of the hour from the source's budget and from the tenant's: what
    /// a decision needs that keeps an endpoint isolated which another has isolated.
    pub(super) async fn acquire_hourly_permits(
        &self,
        policy: &Policy,
        decision: &Decision,
        target: &IsolationTarget,
        permits: &mut Vec<Permit>,
    ) -> Result<Result<(), BudgetExhausted>, EngineError> {
        let holder = self.permit_holder(decision, target);
        let hour = holder.since / 3_600;
        let received = decision.received();
        let source_name = received.map(|received| received.source.clone()).unwrap_or_default();
        let most = policy.source(&source_name).map_or(0, |source| source.per_hour);
        let folder = format!("permits/hour/{hour}/source/{source_name}");
        match permits::acquire(self.ledger.store(), &folder, most, &holder).await? {
            Some(slot) => permits.push(slot),
            None => return Ok(Err(BudgetExhausted::Source { max: most, source_name })),
        }
        let per_tenant = policy.limits().tenant_per_hour;
        let folder = format!("permits/hour/{hour}/tenant/{}", target.tenant);
        match permits::acquire(self.ledger.store(), &folder, per_tenant, &holder).await? {
            Some(slot) => permits.push(slot),
            None => return Ok(Err(BudgetExhausted::Tenant { max: per_tenant })),
        }
        Ok(Ok(()))
    }

    fn permit_holder(&self, decision: &Decision, target: &IsolationTarget) -> PermitHolder {
        PermitHolder {
            decision: decision.id().clone(),
            endpoint: target.endpoint.clone(),
            since: self.now().as_secs(),
            attempt_id: self.ledger.next_attempt_id(),
        }
    }

    /// Takes a permit of the hour to look for a host of a source, under a name: a
    /// decision that is tried again keeps its own. It is spent, whatever the lookup
    /// finds: each costs requests to Sophos Central.
    pub(super) async fn acquire_lookup_permit(
        &self,
        source: &Source,
        name: &str,
    ) -> Result<Result<(), BudgetExhausted>, LedgerStoreError> {
        let folder = format!("permits/hour/{}/lookups/{}", self.now().as_secs() / 3_600, source.name);
        let path = format!("{folder}/{name}");
        let objects = self.ledger.store();
        let is_new = objects.create(&path, Vec::new()).await?;
        // Each permit that counts was there when the last of them was counted.
        if objects.list(&folder).await?.len() <= source.lookups_per_hour as usize {
            return Ok(Ok(()));
        }
        if is_new {
            objects.delete(&path).await?;
        }
        Ok(Err(BudgetExhausted::Lookups { max: source.lookups_per_hour, source_name: source.name.clone() }))
    }

    /// A slot among those that the estate's share makes.
    async fn acquire_estate_permit(
        &self,
        policy: &Policy,
        target: &IsolationTarget,
        tenant: &TenantClient<T>,
        holder: &PermitHolder,
    ) -> Result<Result<Permit, BudgetExhausted>, EngineError> {
        let estate = self.estate_size(target, tenant).await?;
        let most = policy.limits().max_isolated(estate);
        let isolated = count_endpoints(tenant, Some(IsolationStatus::Isolated)).await?;
        let full = BudgetExhausted::Estate { isolated, estate, max: most };
        if isolated >= most {
            return Ok(Err(full));
        }
        let folder = format!("{ESTATE_FOLDER}{}", target.tenant);
        let slot = |others: u64| {
            let limit = u32::try_from(most.saturating_sub(others)).unwrap_or(u32::MAX);
            let folder = &folder;
            async move { permits::acquire(self.ledger.store(), folder, limit, holder).await }
        };
        // Whoever has isolated those that are, so many slots are good.
        if let Some(slot) = slot(isolated).await? {
            return Ok(Ok(slot));
        }
        self.collect_garbage(&folder).await?;
        let others = if isolated == 0 { 0 } else { self.count_external_isolations(tenant, &folder).await? };
        Ok(slot(others).await?.ok_or(full))
    }

    /// The number of isolated endpoints that have no slot: others isolated them.
    async fn count_external_isolations(
        &self,
        tenant: &TenantClient<T>,
        folder: &str,
    ) -> Result<u64, EngineError> {
        let holders = permits::list_holders(self.ledger.store(), folder).await?;
        let ours: HashSet<String> = holders.into_iter().map(|(_, holder)| holder.endpoint).collect();
        let question = ListEndpoints::new()
            .isolation_status(IsolationStatus::Isolated)
            .view(EndpointView::Basic)
            .page_size(PAGE_SIZE);
        let mut others = 0;
        let mut pages = tenant.pages(question);
        while let Some(page) = pages.next().await {
            let is_ours = |id: &str| ours.contains(&id.to_ascii_lowercase());
            // One that cannot be read is not known to be ours.
            let items = page?.items.into_iter().map(|item| item.parse());
            others += items.filter(|item| !item.as_ref().is_ok_and(|item| is_ours(&item.id))).count() as u64;
        }
        Ok(others)
    }

    /// Gives back the slots of decisions that have ended, or whose run died
    /// between the slot and its claim.
    async fn collect_garbage(&self, folder: &str) -> Result<(), LedgerStoreError> {
        for (path, holder) in permits::list_holders(self.ledger.store(), folder).await? {
            let keeps = match self.ledger.load_decision(&holder.decision).await {
                Ok(Some(decision)) => {
                    let claimed = decision.claim().is_some_and(|claim| claim.permits.contains(&path));
                    !decision.state().is_final() && claimed
                }
                Ok(None) => false,
                // What it holds is not known: it keeps what it has.
                Err(_) => true,
            };
            if !keeps && holder.since + ABANDONED_AFTER_SECONDS < self.now().as_secs() {
                permits::release(self.ledger.store(), &path).await?;
            }
        }
        Ok(())
    }

    /// The number of the tenant's endpoints.
    async fn estate_size(
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

/// The number of endpoints, all or those in a state. An answer without one
/// counts as few: the fewer, the less may be isolated.
async fn count_endpoints<T: Transport>(
    tenant: &TenantClient<T>,
    state: Option<IsolationStatus>,
) -> Result<u64, sophos_api::Error> {
    let asked_for_all = state.is_none();
    let mut question = ListEndpoints::new().view(EndpointView::Basic).page_size(1).page_total(true);
    question.isolation_status = state;
    let page = tenant.send(&question).await?;
    let counted = page.pages.items.or(page.pages.total);
    // Where few are the careful answer for an estate, many are for the isolated.
    Ok(counted.unwrap_or(if asked_for_all { 0 } else { u64::MAX }))
}
