//! The present use of the budgets, for a check.

use std::time::Duration;

use serde::Serialize;
use sophos_api::{Transport, models::IsolationStatus};

use super::{Engine, EngineError, budget::count_endpoints};
use crate::{
    decision::IsolationTarget,
    ledger::{LedgerStore, paths},
    outcome::OutcomePublisher,
    permits,
    policy::{Policy, Source},
};

/// The present use of a budget.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct BudgetUsage {
    /// The code with which an exhausted budget refuses, such as `source_budget`.
    pub budget: &'static str,
    /// The used part.
    pub used: u64,
    /// The limit of the policy.
    pub limit: u64,
}

impl BudgetUsage {
    /// Whether the budget permits no further isolation at present.
    pub fn is_exhausted(&self) -> bool {
        self.used >= self.limit
    }
}

impl<T, O, N> Engine<T, O, N>
where
    T: Transport + 'static,
    O: LedgerStore,
    N: OutcomePublisher,
{
    /// Returns the present use of each budget that an isolation of this endpoint needs:
    /// the hour of the source, the hour of the tenant, and the share of the tenant's
    /// endpoints. It acquires nothing.
    ///
    /// # Errors
    /// When Sophos Central or the ledger fails.
    pub async fn budget_usage(
        &self,
        policy: &Policy,
        source: &Source,
        target: &IsolationTarget,
        deadline: Option<Duration>,
    ) -> Result<Vec<BudgetUsage>, EngineError> {
        let hour = self.now().as_secs() / 3_600;
        let store = self.ledger.store();
        let by_source = permits::count(store, &paths::source_permits_folder(hour, &source.name)).await?;
        let by_tenant = permits::count(store, &paths::tenant_permits_folder(hour, &target.tenant)).await?;
        let tenant = self.tenant(&target.tenant.as_str().into(), deadline).await?;
        let estate = self.estate_size(target, &tenant).await?;
        let isolated = count_endpoints(&tenant, Some(IsolationStatus::Isolated)).await?;
        let usage = |budget, used, limit| BudgetUsage { budget, used, limit };
        Ok(vec![
            usage("source_budget", by_source, source.per_hour.into()),
            usage("tenant_budget", by_tenant, policy.limits().tenant_per_hour.into()),
            usage("estate_ceiling", isolated, policy.limits().max_isolated(estate)),
        ])
    }
}
