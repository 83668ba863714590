//! The budgets of the policy: isolations an hour for a source and for a
//! tenant, how much of a tenant's estate may be isolated at once, and lookups an
//! hour for a source.

use std::{collections::HashSet, time::Duration};

use sophos_api::{
    Caller, TenantClient, Transport,
    models::{EndpointView, IsolationStatus},
    operations::endpoints::ListEndpoints,
};

use super::{Engine, EngineError, lock};
use crate::{
    decision::{Decision, Target},
    ledger::{Objects, StoreFailure},
    outcome::Outcomes,
    policy::{Policy, Source},
    slots::{self, Holder, Taken},
};

/// Where the slots of estates are.
pub(super) const ESTATE: &str = "slots/estate/";

/// Endpoints a page.
const PAGE: u32 = 500;

/// The size of an estate is asked for again after this time.
const ESTATE_AGE: Duration = Duration::from_secs(600);

/// A slot whose decision did not get to its claim in this time is nobody's.
const ABANDONED: u64 = 900;

/// A budget that is spent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Full {
    #[error("{most} isolations of the source \"{source_name}\" in this hour are all that the policy allows")]
    Source { most: u32, source_name: String },
    #[error("{most} isolations in the tenant in this hour are all that the policy allows")]
    Tenant { most: u32 },
    #[error("{isolated} of the tenant's {estate} endpoints are isolated, and the policy allows {most}")]
    Estate { isolated: u64, estate: u64, most: u64 },
    #[error(
        "{max} lookups of hosts of the source \"{source_name}\" in this hour are all that the policy allows"
    )]
    Lookups { max: u32, source_name: String },
}

impl Full {
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
    O: Objects,
    N: Outcomes,
{
    /// Takes a slot of each budget. What was taken is in `taken`, whatever comes
    /// of it.
    ///
    /// The source's comes first: one that has spent its own takes nothing from
    /// the others of its tenants.
    pub(super) async fn take_slots(
        &self,
        policy: &Policy,
        decision: &Decision,
        target: &Target,
        tenant: &TenantClient<T>,
        taken: &mut Vec<Taken>,
    ) -> Result<Result<(), Full>, EngineError> {
        if let Err(full) = self.take_slots_of_hour(policy, decision, target, taken).await? {
            return Ok(Err(full));
        }
        let slot = self.estate_slot(policy, target, tenant, &self.holder(decision, target)).await?;
        Ok(slot.map(|slot| taken.push(slot)))
    }

    /// Takes a slot of the hour from the source's budget and from the tenant's: what
    /// a decision needs that keeps an endpoint isolated which another has isolated.
    pub(super) async fn take_slots_of_hour(
        &self,
        policy: &Policy,
        decision: &Decision,
        target: &Target,
        taken: &mut Vec<Taken>,
    ) -> Result<Result<(), Full>, EngineError> {
        let holder = self.holder(decision, target);
        let hour = holder.since / 3_600;
        let received = decision.received();
        let source_name = received.map(|received| received.source.clone()).unwrap_or_default();
        let most = policy.source(&source_name).map_or(0, |source| source.per_hour);
        let folder = format!("slots/hour/{hour}/source/{source_name}");
        match slots::take(self.ledger.objects(), &folder, most, &holder).await? {
            Some(slot) => taken.push(slot),
            None => return Ok(Err(Full::Source { most, source_name })),
        }
        let per_tenant = policy.limits().tenant_per_hour;
        let folder = format!("slots/hour/{hour}/tenant/{}", target.tenant);
        match slots::take(self.ledger.objects(), &folder, per_tenant, &holder).await? {
            Some(slot) => taken.push(slot),
            None => return Ok(Err(Full::Tenant { most: per_tenant })),
        }
        Ok(Ok(()))
    }

    fn holder(&self, decision: &Decision, target: &Target) -> Holder {
        Holder {
            decision: decision.id().clone(),
            endpoint: target.endpoint.clone(),
            since: self.now().as_secs(),
            run: self.ledger.attempt(),
        }
    }

    /// Takes a permit of the hour to look for a host of a source, under a name: a
    /// decision that is tried again keeps its own. It is spent, whatever the lookup
    /// finds: each costs requests to Sophos Central.
    pub(super) async fn take_lookup(
        &self,
        source: &Source,
        name: &str,
    ) -> Result<Result<(), Full>, StoreFailure> {
        let folder = format!("slots/hour/{}/lookups/{}", self.now().as_secs() / 3_600, source.name);
        let path = format!("{folder}/{name}");
        let objects = self.ledger.objects();
        let is_new = objects.create(&path, Vec::new()).await?;
        // Each permit that counts was there when the last of them was counted.
        if objects.names(&folder).await?.len() <= source.lookups_per_hour as usize {
            return Ok(Ok(()));
        }
        if is_new {
            objects.remove(&path).await?;
        }
        Ok(Err(Full::Lookups { max: source.lookups_per_hour, source_name: source.name.clone() }))
    }

    /// A slot among those that the estate's share makes.
    async fn estate_slot(
        &self,
        policy: &Policy,
        target: &Target,
        tenant: &TenantClient<T>,
        holder: &Holder,
    ) -> Result<Result<Taken, Full>, EngineError> {
        let estate = self.estate(target, tenant).await?;
        let most = policy.limits().most_isolated(estate);
        let isolated = count(tenant, Some(IsolationStatus::Isolated)).await?;
        let full = Full::Estate { isolated, estate, most };
        if isolated >= most {
            return Ok(Err(full));
        }
        let folder = format!("{ESTATE}{}", target.tenant);
        let slot = |others: u64| {
            let limit = u32::try_from(most.saturating_sub(others)).unwrap_or(u32::MAX);
            let folder = &folder;
            async move { slots::take(self.ledger.objects(), folder, limit, holder).await }
        };
        // Whoever has isolated those that are, so many slots are good.
        if let Some(slot) = slot(isolated).await? {
            return Ok(Ok(slot));
        }
        self.sweep(&folder).await?;
        let others = if isolated == 0 { 0 } else { self.without_slot(tenant, &folder).await? };
        Ok(slot(others).await?.ok_or(full))
    }

    /// The number of isolated endpoints that have no slot: others isolated them.
    async fn without_slot(&self, tenant: &TenantClient<T>, folder: &str) -> Result<u64, EngineError> {
        let holders = slots::holders(self.ledger.objects(), folder).await?;
        let ours: HashSet<String> = holders.into_iter().map(|(_, holder)| holder.endpoint).collect();
        let question = ListEndpoints {
            isolation_status: Some(IsolationStatus::Isolated),
            view: Some(EndpointView::Basic),
            page_size: Some(PAGE),
            ..ListEndpoints::default()
        };
        let mut others = 0;
        let mut pages = tenant.pages(question);
        while let Some(page) = pages.next().await {
            let is_ours = |id: &str| ours.contains(&id.to_ascii_lowercase());
            // One that cannot be read is not known to be ours.
            let items = page?.items.into_iter().map(|item| item.read());
            others += items.filter(|item| !item.as_ref().is_ok_and(|item| is_ours(&item.id))).count() as u64;
        }
        Ok(others)
    }

    /// Gives back the slots of decisions that have ended, or whose run died
    /// between the slot and its claim.
    async fn sweep(&self, folder: &str) -> Result<(), StoreFailure> {
        for (path, holder) in slots::holders(self.ledger.objects(), folder).await? {
            let keeps = match self.ledger.decision(&holder.decision).await {
                Ok(Some(decision)) => {
                    let claimed = decision.claim().is_some_and(|claim| claim.slots.contains(&path));
                    !decision.state().is_final() && claimed
                }
                Ok(None) => false,
                // What it holds is not known: it keeps what it has.
                Err(_) => true,
            };
            if !keeps && holder.since + ABANDONED < self.now().as_secs() {
                slots::give_back(self.ledger.objects(), &path).await?;
            }
        }
        Ok(())
    }

    /// The number of the tenant's endpoints.
    async fn estate(&self, target: &Target, tenant: &TenantClient<T>) -> Result<u64, sophos_api::Error> {
        let now = self.now();
        if let Some((at, size)) = lock(&self.estates).get(&target.tenant)
            && now.saturating_sub(*at) < ESTATE_AGE
        {
            return Ok(*size);
        }
        let size = count(tenant, None).await?;
        lock(&self.estates).insert(target.tenant.clone(), (now, size));
        Ok(size)
    }
}

/// The number of endpoints, all or those in a state. An answer without one
/// counts as few: the fewer, the less may be isolated.
async fn count<T: Transport>(
    tenant: &TenantClient<T>,
    state: Option<IsolationStatus>,
) -> Result<u64, sophos_api::Error> {
    let asked_for_all = state.is_none();
    let question = ListEndpoints {
        isolation_status: state,
        view: Some(EndpointView::Basic),
        page_size: Some(1),
        page_total: Some(true),
        ..ListEndpoints::default()
    };
    let page = tenant.send(&question).await?;
    let counted = page.pages.items.or(page.pages.total);
    // Where few are the careful answer for an estate, many are for the isolated.
    Ok(counted.unwrap_or(if asked_for_all { 0 } else { u64::MAX }))
}
