//! The plan: one message for each stream.

use std::{collections::HashSet, fmt::Display, time::Duration};

use futures_util::StreamExt;
use lambda_support::InvocationError;
use serde::Serialize;
use sophos_api::{TenantId, Transport};
use sophos_export::{Dataset, InventoryChanges, Store, StreamId, TenantInventory, TenantRef};

use crate::{
    assignment::{TenantAssignment, assign, interleave},
    config::{Config, QueueSettings},
    credential_pool::{CredentialPool, ExportCredentials, UsableCredential},
    message::{StreamMessage, sqs_id},
    queue::ExportQueue,
    snapshot_plan::SnapshotPlan,
};

/// The concurrent listings of tenants.
const MAX_CONCURRENT_LISTINGS: usize = 8;

/// A plan is deferred while more than `MAX_PENDING_MESSAGES` messages are pending, and more
/// than one for each `STREAMS_PER_PENDING_MESSAGE` of its streams. Otherwise the queue
/// would grow. A few messages may always be pending: continuations of a backlog.
const MAX_PENDING_MESSAGES: u64 = 10;
const STREAMS_PER_PENDING_MESSAGE: u64 = 10;

/// The report of a plan.
#[derive(Debug, Default, Serialize)]
pub(crate) struct PlanReport {
    /// The number of sent messages.
    pub(crate) planned: u64,
    /// The reason why the plan was deferred, if it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) deferred_reason: Option<String>,
    /// The number of pending messages before the plan.
    pub(crate) pending_messages: u64,
    /// The number of distinct tenants.
    pub(crate) tenants: u64,
    /// The credentials.
    pub(crate) credentials: Vec<CredentialReport>,
    /// The errors of unusable credentials.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) unusable_credentials: Vec<String>,
    /// The errors of tenants whose records are invalid or have no valid host.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) skipped_tenants: Vec<String>,
}

/// The report of one credential.
#[derive(Debug, Serialize)]
pub(crate) struct CredentialReport {
    pub(crate) name: String,
    /// The number of its tenants.
    pub(crate) tenants: u64,
    /// The age of its tenant inventory in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) inventory_age_seconds: Option<u64>,
    #[serde(flatten)]
    pub(crate) changes: InventoryChanges,
}

/// The tenants of one credential.
struct CredentialTenants {
    assignment: TenantAssignment,
    /// The partner or organization of the credential, if its audit log is exported.
    account: Option<TenantId>,
    inventory: Option<TenantInventory>,
    changes: InventoryChanges,
}

/// Creates a plan and sends its messages.
///
/// # Errors
/// When no credential is usable, or the queue fails. Messages that were sent by then are
/// processed, and are not sent again under the same `id`.
pub(crate) async fn send_plan(
    pool: &CredentialPool,
    queue: &ExportQueue,
    config: &Config,
    queues: &QueueSettings,
    datasets: &[Dataset],
    id: &str,
    stop_at: Duration,
) -> Result<PlanReport, InvocationError> {
    let mut report = PlanReport::default();
    let ExportCredentials { usable, excluded } = pool.list_credentials(stop_at).await?;
    report.unusable_credentials.extend(excluded.invalid.iter().map(ToString::to_string));
    let listings = usable.into_iter().map(|credential| async move {
        let name = credential.name.clone();
        (name, credential_tenants(pool, config, queues, datasets, credential, stop_at).await)
    });
    let (mut listed, mut failures) = (Vec::new(), Vec::new());
    // In order: the most specific credential serves a tenant.
    let mut listings = futures_util::stream::iter(listings).buffered(MAX_CONCURRENT_LISTINGS);
    while let Some((name, outcome)) = listings.next().await {
        match outcome {
            Ok(tenants) => listed.push(tenants),
            Err(error) => failures.push(format!("{name}: {error}")),
        }
    }
    drop(listings);
    if listed.is_empty() {
        return Err(excluded.failure(failures.first()));
    }
    report.unusable_credentials.extend(failures);
    let assignments = assign(listed.iter().map(|tenants| tenants.assignment.clone()).collect());
    let accounts = listed
        .iter()
        .filter_map(|tenants| Some((tenants.assignment.credential.clone(), tenants.account.clone()?)));
    let accounts = accounts.collect();
    let now = pool.transport().now();
    for (tenants, assignment) in listed.into_iter().zip(&assignments) {
        report.tenants += assignment.tenants.len() as u64;
        let inventory = tenants.inventory.as_ref();
        report.skipped_tenants.extend(inventory.into_iter().flat_map(|inventory| inventory.skipped.clone()));
        report.credentials.push(CredentialReport {
            name: assignment.credential.clone(),
            tenants: assignment.tenants.len() as u64,
            inventory_age_seconds: inventory.map(|inventory| inventory.age(now).as_secs()),
            changes: tenants.changes,
        });
    }
    // Bounded, since each message contains it.
    let id = &*sqs_id(id.to_owned());
    let snapshots = SnapshotPlan::new(config, datasets, now);
    let datasets = snapshots.due_datasets(pool.store()).await;
    let messages = build_messages(&assignments, accounts, &datasets, id);
    report.pending_messages = queue.pending_messages().await.map_err(queue_failed)?;
    let sending = PlanState { store: pool.store(), id };
    let too_many = report.pending_messages
        > MAX_PENDING_MESSAGES.max(messages.len() as u64 / STREAMS_PER_PENDING_MESSAGE);
    if too_many && !sending.was_interrupted().await {
        report.deferred_reason = Some(format!(
            "{} messages are pending; the next plan is sent after them",
            report.pending_messages
        ));
        return Ok(report);
    }
    // A small plan has too few messages to be deferred.
    let large = messages.len() as u64 > MAX_PENDING_MESSAGES;
    if large {
        sending.mark_sending().await;
    }
    queue.send(&messages).await.map_err(queue_failed)?;
    if large {
        sending.mark_sent().await;
    }
    snapshots.mark_sent(pool.store(), &datasets).await;
    report.planned = messages.len() as u64;
    Ok(report)
}

/// The object with the id of a plan that may be sent in part. Lambda retries such a plan,
/// and its own pending messages must not defer it. Empty after all messages are sent.
const PLAN_STATE_PATH: &str = "_plan/sending";

/// The stored state of a plan that is being sent.
struct PlanState<'a> {
    store: &'a Store,
    id: &'a str,
}

impl PlanState<'_> {
    /// Whether an earlier attempt sent a part of this plan.
    async fn was_interrupted(&self) -> bool {
        match self.store.read(PLAN_STATE_PATH).await {
            Ok(sending) => sending.is_some_and(|id| id == self.id.as_bytes()),
            Err(error) => {
                tracing::warn!(event = "plan_state_failed", %error, "reading {PLAN_STATE_PATH} failed; a retry may be deferred");
                false
            }
        }
    }

    async fn mark_sending(&self) {
        self.save(self.id).await;
    }

    async fn mark_sent(&self) {
        self.save("").await;
    }

    /// Stores the state. If that fails, a retry of a plan that was sent in part may be
    /// deferred, and the next plan follows.
    async fn save(&self, id: &str) {
        if let Err(error) = self.store.write(PLAN_STATE_PATH, id.into()).await {
            tracing::warn!(event = "plan_state_failed", %error, "writing {PLAN_STATE_PATH} failed; a retry may be deferred");
        }
    }
}

fn queue_failed(error: impl Display) -> InvocationError {
    InvocationError::new("QueueFailed", error)
}

/// The tenants of a credential. A tenant's own credential needs no listing.
async fn credential_tenants(
    pool: &CredentialPool,
    config: &Config,
    queues: &QueueSettings,
    datasets: &[Dataset],
    credential: UsableCredential,
    stop_at: Duration,
) -> Result<CredentialTenants, sophos_export::Error> {
    if let Some(tenant) = credential.own_tenant() {
        let tenants = vec![TenantRef::new(tenant)];
        return Ok(CredentialTenants {
            assignment: TenantAssignment { credential: credential.name, tenants },
            account: None,
            inventory: None,
            changes: InventoryChanges::default(),
        });
    }
    let exporter = pool.exporter(config, &credential.name);
    let (inventory, changes) =
        exporter.tenant_inventory(&credential.name, queues.inventory_max_age, Some(stop_at)).await?;
    let account = match datasets.contains(&Dataset::Audit) {
        true => exporter.client().with_deadline(stop_at).own_account().await?,
        false => None,
    };
    let account = account.map(|account| account.id().clone());
    let assignment = TenantAssignment { credential: credential.name, tenants: inventory.tenants.clone() };
    Ok(CredentialTenants { assignment, account, inventory: Some(inventory), changes })
}

/// Builds one message for each stream of a tenant, one for the audit log of each partner or
/// organization, and one for the ledger of isolation. The start depends on `id`, so that no
/// tenant is always last.
fn build_messages(
    assignments: &[TenantAssignment],
    accounts: Vec<(String, TenantId)>,
    datasets: &[Dataset],
    id: &str,
) -> Vec<StreamMessage> {
    let mut tenants = interleave(assignments);
    if !tenants.is_empty() {
        let start = id.bytes().fold(0_usize, |hash, byte| hash.wrapping_mul(31).wrapping_add(byte.into()));
        let start = start % tenants.len();
        tenants.rotate_left(start);
    }
    let message = |credential: &str, tenant: &TenantRef, dataset| StreamMessage {
        credential: credential.to_owned(),
        tenant: tenant.clone(),
        dataset,
        plan_id: id.to_owned(),
        continuation: 0,
    };
    let streams = tenants.iter().flat_map(|(credential, tenant)| {
        let datasets = datasets.iter().filter(|dataset| dataset.is_per_tenant());
        datasets.map(move |dataset| message(credential, tenant, *dataset))
    });
    // Several credentials may have the same owner.
    let mut known = HashSet::new();
    let accounts = accounts.into_iter().filter(|(_, account)| known.insert(account.clone()));
    let accounts =
        accounts.map(|(credential, account)| message(&credential, &TenantRef::new(account), Dataset::Audit));
    let ledger = StreamId::of_ledger();
    let ledger = datasets
        .contains(&ledger.dataset)
        .then(|| message("", &TenantRef::new(ledger.tenant.as_str()), ledger.dataset));
    streams.chain(accounts).chain(ledger).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn build_messages_creates_one_message_per_stream() {
        let tenants = ["a", "b", "c"].map(TenantRef::new).to_vec();
        let assignments = [
            TenantAssignment { credential: "large".into(), tenants },
            TenantAssignment { credential: "small".into(), tenants: vec![TenantRef::new("x")] },
        ];
        let mut firsts = BTreeSet::new();
        for id in ["1", "2", "3", "4", "an id", ""] {
            let messages = build_messages(&assignments, Vec::new(), &Dataset::DEFAULT, id);
            let streams: BTreeSet<_> = messages.iter().map(StreamMessage::group_id).collect();
            assert_eq!((messages.len(), streams.len()), (8, 8));
            firsts.insert(messages[0].group_id());
        }
        assert!(firsts.len() > 1, "{firsts:?}");
        assert!(build_messages(&[], Vec::new(), &Dataset::DEFAULT, "1").is_empty());
    }

    #[test]
    fn build_messages_adds_the_ledger_once() {
        let tenants = ["a", "b"].map(TenantRef::new).to_vec();
        let assignments = [TenantAssignment { credential: "large".into(), tenants }];
        let datasets = [Dataset::Events, Dataset::Isolations];
        let messages = build_messages(&assignments, Vec::new(), &datasets, "1");
        let mut streams: Vec<_> = messages.iter().map(StreamMessage::group_id).collect();
        streams.sort();
        assert_eq!(streams, ["events/a", "events/b", "isolations/ledger"]);
    }

    #[test]
    fn build_messages_adds_each_account_once() {
        let assignments = [TenantAssignment { credential: "a".into(), tenants: vec![TenantRef::new("x")] }];
        let accounts = [("a", "partner"), ("b", "PARTNER"), ("c", "organization")]
            .map(|(name, id)| (name.into(), id.into()));
        let messages = build_messages(&assignments, accounts.to_vec(), &[Dataset::Audit], "1");
        let streams: Vec<_> = messages.iter().map(|one| (one.credential.as_str(), one.group_id())).collect();
        let expected = [("a", "audit/x"), ("a", "audit/partner"), ("c", "audit/organization")];
        assert_eq!(streams, expected.map(|(name, group)| (name, group.to_owned())));
    }
}
