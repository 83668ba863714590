//! The plan: which streams there are, one message for each.

use std::{fmt::Display, time::Duration};

use futures_util::StreamExt;
use lambda_support::InvocationError;
use serde::Serialize;
use sophos_api::Transport;
use sophos_export::{Dataset, InventoryChanges, Store, TenantInventory, TenantRef};

use crate::{
    assignment::{TenantAssignment, assign, interleave},
    config::{Config, QueueSettings},
    credential_pool::{CredentialPool, ExportCredentials, UsableCredential},
    message::{StreamMessage, sqs_id},
    queue::ExportQueue,
};

/// Credentials whose tenants are listed at once.
const MAX_CONCURRENT_LISTINGS: usize = 8;

/// A plan is put off while more messages than these still wait from the one
/// before, and more than one for so many of its streams: a queue that only grows
/// helps nobody. A few may wait for ever: the turns of a stream with a backlog.
const MAX_PENDING_MESSAGES: u64 = 10;
const STREAMS_PER_PENDING_MESSAGE: u64 = 10;

/// What a plan came to.
#[derive(Debug, Default, Serialize)]
pub(crate) struct PlanReport {
    /// The messages that were sent.
    pub(crate) planned: u64,
    /// Why none were, if the last plan is not worked off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) deferred_reason: Option<String>,
    /// The messages that waited before.
    pub(crate) pending_messages: u64,
    /// The tenants, each counted once.
    pub(crate) tenants: u64,
    /// Each credential.
    pub(crate) credentials: Vec<CredentialReport>,
    /// Credentials that cannot be worked with, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) unusable_credentials: Vec<String>,
    /// Tenants whose records could not be read, or lead to no host.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) skipped_tenants: Vec<String>,
}

/// What is known of one credential.
#[derive(Debug, Serialize)]
pub(crate) struct CredentialReport {
    pub(crate) name: String,
    /// The tenants that it serves.
    pub(crate) tenants: u64,
    /// How old the list of its tenants is, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) inventory_age_seconds: Option<u64>,
    #[serde(flatten)]
    pub(crate) changes: InventoryChanges,
}

/// One credential's tenants.
struct CredentialTenants {
    assignment: TenantAssignment,
    inventory: Option<TenantInventory>,
    changes: InventoryChanges,
}

/// Makes a plan and sends it.
///
/// # Errors
/// When no credential is there for export or can be worked with, or the queue fails.
/// What was sent by then is worked off, and is not sent again under the same `id`.
pub(crate) async fn send_plan(
    fleet: &CredentialPool,
    queue: &ExportQueue,
    config: &Config,
    queues: &QueueSettings,
    datasets: &[Dataset],
    id: &str,
    stop_at: Duration,
) -> Result<PlanReport, InvocationError> {
    let mut report = PlanReport::default();
    let ExportCredentials { usable, excluded: others } = fleet.list_credentials(stop_at).await?;
    report.unusable_credentials.extend(others.invalid.iter().map(ToString::to_string));
    let reading = usable.into_iter().map(|one| async move {
        let name = one.name.clone();
        (name, credential_tenants(fleet, config, queues, one, stop_at).await)
    });
    let (mut reached, mut failures) = (Vec::new(), Vec::new());
    // In order: the nearest credential serves a tenant.
    let mut readings = futures_util::stream::iter(reading).buffered(MAX_CONCURRENT_LISTINGS);
    while let Some((name, outcome)) = readings.next().await {
        match outcome {
            Ok(one) => reached.push(one),
            Err(error) => failures.push(format!("{name}: {error}")),
        }
    }
    drop(readings);
    if reached.is_empty() {
        return Err(others.failure(failures.first()));
    }
    report.unusable_credentials.extend(failures);
    let served = assign(reached.iter().map(|one| one.assignment.clone()).collect());
    let now = fleet.transport().now();
    for (one, served) in reached.into_iter().zip(&served) {
        report.tenants += served.tenants.len() as u64;
        let roster = one.inventory.as_ref();
        report.skipped_tenants.extend(roster.into_iter().flat_map(|roster| roster.skipped.clone()));
        report.credentials.push(CredentialReport {
            name: served.credential.clone(),
            tenants: served.tenants.len() as u64,
            inventory_age_seconds: roster.map(|roster| roster.age(now).as_secs()),
            changes: one.changes,
        });
    }
    // Each message holds it, whatever its length was.
    let id = &*sqs_id(id.to_owned());
    let messages = build_messages(&served, datasets, id);
    report.pending_messages = queue.pending_messages().await.map_err(queue_failed)?;
    let sending = PlanState { store: fleet.store(), id };
    let too_many = report.pending_messages
        > MAX_PENDING_MESSAGES.max(messages.len() as u64 / STREAMS_PER_PENDING_MESSAGE);
    if too_many && !sending.was_interrupted().await {
        report.deferred_reason = Some(format!(
            "{} messages still wait; the next plan comes when they are worked off",
            report.pending_messages
        ));
        return Ok(report);
    }
    // The messages of a small plan are too few to put it off.
    let large = messages.len() as u64 > MAX_PENDING_MESSAGES;
    if large {
        sending.mark_sending().await;
    }
    queue.send(&messages).await.map_err(queue_failed)?;
    if large {
        sending.mark_sent().await;
    }
    report.planned = messages.len() as u64;
    Ok(report)
}

/// The object that names a plan of which not all messages may be sent: Lambda tries
/// that again, and the messages that wait are its own. Empty when all are sent.
const PLAN_STATE_PATH: &str = "_plan/sending";

/// A plan that is being sent.
struct PlanState<'a> {
    store: &'a Store,
    id: &'a str,
}

impl PlanState<'_> {
    /// Whether an earlier attempt at this plan sent a part of it.
    async fn was_interrupted(&self) -> bool {
        match self.store.read(PLAN_STATE_PATH).await {
            Ok(sending) => sending.is_some_and(|id| id == self.id.as_bytes()),
            Err(error) => {
                tracing::warn!(event = "plan_state_failed", %error, "reading {PLAN_STATE_PATH} failed");
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

    /// Without it a plan that is sent by half is put off, and the next one comes.
    async fn save(&self, id: &str) {
        if let Err(error) = self.store.write(PLAN_STATE_PATH, id.into()).await {
            tracing::warn!(event = "plan_state_failed", %error, "writing {PLAN_STATE_PATH} failed");
        }
    }
}

fn queue_failed(error: impl Display) -> InvocationError {
    InvocationError::new("QueueFailed", error)
}

/// The tenants of a credential. One that names its tenant need not be asked.
async fn credential_tenants(
    fleet: &CredentialPool,
    config: &Config,
    queues: &QueueSettings,
    one: UsableCredential,
    stop_at: Duration,
) -> Result<CredentialTenants, sophos_export::Error> {
    if let Some(tenant) = one.own_tenant() {
        let served = TenantAssignment { credential: one.name, tenants: vec![TenantRef::new(tenant)] };
        return Ok(CredentialTenants {
            assignment: served,
            inventory: None,
            changes: InventoryChanges::default(),
        });
    }
    let exporter = fleet.exporter(config, &one.name);
    let (roster, changes) =
        exporter.tenant_inventory(&one.name, queues.inventory_max_age, Some(stop_at)).await?;
    let served = TenantAssignment { credential: one.name, tenants: roster.tenants.clone() };
    Ok(CredentialTenants { assignment: served, inventory: Some(roster), changes })
}

/// One message for each stream, beginning anywhere: no tenant is always last.
fn build_messages(served: &[TenantAssignment], datasets: &[Dataset], id: &str) -> Vec<StreamMessage> {
    let mut turns = interleave(served);
    if !turns.is_empty() {
        let start = id.bytes().fold(0_usize, |hash, byte| hash.wrapping_mul(31).wrapping_add(byte.into()));
        let start = start % turns.len();
        turns.rotate_left(start);
    }
    let streams = turns.iter().flat_map(|(credential, tenant)| {
        datasets.iter().map(move |dataset| StreamMessage {
            credential: (*credential).to_owned(),
            tenant: (*tenant).clone(),
            dataset: *dataset,
            plan_id: id.to_owned(),
            continuation: 0,
        })
    });
    streams.collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn build_messages_creates_one_message_per_stream() {
        let tenants = ["a", "b", "c"].map(TenantRef::new).to_vec();
        let served = [
            TenantAssignment { credential: "large".into(), tenants },
            TenantAssignment { credential: "small".into(), tenants: vec![TenantRef::new("x")] },
        ];
        let mut firsts = BTreeSet::new();
        for id in ["1", "2", "3", "4", "an id", ""] {
            let messages = build_messages(&served, &Dataset::ALL, id);
            let streams: BTreeSet<_> = messages.iter().map(StreamMessage::group_id).collect();
            assert_eq!((messages.len(), streams.len()), (8, 8));
            firsts.insert(messages[0].group_id());
        }
        assert!(firsts.len() > 1, "{firsts:?}");
        assert!(build_messages(&[], &Dataset::ALL, "1").is_empty());
    }
}
