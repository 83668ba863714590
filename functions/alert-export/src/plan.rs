//! The plan: which streams there are, one message for each.

use std::{fmt::Display, time::Duration};

use futures_util::StreamExt;
use lambda_support::Failure;
use serde::Serialize;
use sophos_api::Transport;
use sophos_export::{Changes, Dataset, Member, Roster, Store};

use crate::{
    assignment::{Served, assign, in_turns},
    config::{Config, Queues},
    fleet::{Credentials, Fleet, Usable},
    message::{Message, sqs_id},
    queue::Queue,
};

/// Credentials whose tenants are listed at once.
const LISTINGS: usize = 8;

/// A plan is put off while more messages than these still wait from the one
/// before, and more than one for so many of its streams: a queue that only grows
/// helps nobody. A few may wait for ever: the turns of a stream with a backlog.
const FEW_WAITING: u64 = 10;
const STREAMS_TO_ONE_WAITING: u64 = 10;

/// What a plan came to.
#[derive(Debug, Default, Serialize)]
pub(crate) struct PlanReport {
    /// The messages that were sent.
    pub(crate) planned: u64,
    /// Why none were, if the last plan is not worked off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) put_off: Option<String>,
    /// The messages that waited before.
    pub(crate) waiting: u64,
    /// The tenants, each counted once.
    pub(crate) tenants: u64,
    /// Each credential.
    pub(crate) credentials: Vec<CredentialReport>,
    /// Credentials that cannot be worked with, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) unusable_credentials: Vec<String>,
    /// Tenants whose records could not be read, or lead to no host.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) unusable_tenants: Vec<String>,
}

/// What is known of one credential.
#[derive(Debug, Serialize)]
pub(crate) struct CredentialReport {
    pub(crate) name: String,
    /// The tenants that it serves.
    pub(crate) tenants: u64,
    /// How old the list of its tenants is, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) age_seconds: Option<u64>,
    #[serde(flatten)]
    pub(crate) changes: Changes,
}

/// One credential's tenants.
struct Reached {
    served: Served,
    roster: Option<Roster>,
    changes: Changes,
}

/// Makes a plan and sends it.
///
/// # Errors
/// When no credential is there for export or can be worked with, or the queue fails.
/// What was sent by then is worked off, and is not sent again under the same `id`.
pub(crate) async fn plan(
    fleet: &Fleet,
    queue: &Queue,
    config: &Config,
    queues: &Queues,
    datasets: &[Dataset],
    id: &str,
    stop_at: Duration,
) -> Result<PlanReport, Failure> {
    let mut report = PlanReport::default();
    let Credentials { usable, others } = fleet.credentials(stop_at).await?;
    report.unusable_credentials.extend(others.wrong.iter().map(ToString::to_string));
    let reading = usable.into_iter().map(|one| async move {
        let name = one.name.clone();
        (name, reach(fleet, config, queues, one, stop_at).await)
    });
    let (mut reached, mut failures) = (Vec::new(), Vec::new());
    // In order: the nearest credential serves a tenant.
    let mut readings = futures_util::stream::iter(reading).buffered(LISTINGS);
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
    let served = assign(reached.iter().map(|one| one.served.clone()).collect());
    let now = fleet.transport().now();
    for (one, served) in reached.into_iter().zip(&served) {
        report.tenants += served.tenants.len() as u64;
        let roster = one.roster.as_ref();
        report.unusable_tenants.extend(roster.into_iter().flat_map(|roster| roster.unusable.clone()));
        report.credentials.push(CredentialReport {
            name: served.credential.clone(),
            tenants: served.tenants.len() as u64,
            age_seconds: roster.map(|roster| roster.age(now).as_secs()),
            changes: one.changes,
        });
    }
    // Each message holds it, whatever its length was.
    let id = &*sqs_id(id.to_owned());
    let messages = messages(&served, datasets, id);
    report.waiting = queue.waiting().await.map_err(queue_failed)?;
    let sending = Sending { store: fleet.store(), id };
    let too_many = report.waiting > FEW_WAITING.max(messages.len() as u64 / STREAMS_TO_ONE_WAITING);
    if too_many && !sending.was_interrupted().await {
        report.put_off = Some(format!(
            "{} messages still wait; the next plan comes when they are worked off",
            report.waiting
        ));
        return Ok(report);
    }
    // The messages of a small plan are too few to put it off.
    let large = messages.len() as u64 > FEW_WAITING;
    if large {
        sending.begin().await;
    }
    queue.send(&messages).await.map_err(queue_failed)?;
    if large {
        sending.end().await;
    }
    report.planned = messages.len() as u64;
    Ok(report)
}

/// The object that names a plan of which not all messages may be sent: Lambda tries
/// that again, and the messages that wait are its own. Empty when all are sent.
const SENDING: &str = "_plan/sending";

/// A plan that is being sent.
struct Sending<'a> {
    store: &'a Store,
    id: &'a str,
}

impl Sending<'_> {
    /// Whether an earlier attempt at this plan sent a part of it.
    async fn was_interrupted(&self) -> bool {
        match self.store.read(SENDING).await {
            Ok(sending) => sending.is_some_and(|id| id == self.id.as_bytes()),
            Err(error) => {
                tracing::warn!(event = "plan_state_failed", %error, "reading {SENDING} failed");
                false
            }
        }
    }

    async fn begin(&self) {
        self.write(self.id).await;
    }

    async fn end(&self) {
        self.write("").await;
    }

    /// Without it a plan that is sent by half is put off, and the next one comes.
    async fn write(&self, id: &str) {
        if let Err(error) = self.store.write(SENDING, id.into()).await {
            tracing::warn!(event = "plan_state_failed", %error, "writing {SENDING} failed");
        }
    }
}

fn queue_failed(error: impl Display) -> Failure {
    Failure::new("QueueFailed", error)
}

/// The tenants of a credential. One that names its tenant need not be asked.
async fn reach(
    fleet: &Fleet,
    config: &Config,
    queues: &Queues,
    one: Usable,
    stop_at: Duration,
) -> Result<Reached, sophos_export::Error> {
    if let Some(tenant) = one.own_tenant() {
        let served = Served { credential: one.name, tenants: vec![Member::of(tenant)] };
        return Ok(Reached { served, roster: None, changes: Changes::default() });
    }
    let exporter = fleet.exporter(config, &one.name);
    let (roster, changes) = exporter.roster(&one.name, queues.tenants_max_age, Some(stop_at)).await?;
    let served = Served { credential: one.name, tenants: roster.tenants.clone() };
    Ok(Reached { served, roster: Some(roster), changes })
}

/// One message for each stream, beginning anywhere: no tenant is always last.
fn messages(served: &[Served], datasets: &[Dataset], id: &str) -> Vec<Message> {
    let mut turns = in_turns(served);
    if !turns.is_empty() {
        let start = id.bytes().fold(0_usize, |hash, byte| hash.wrapping_mul(31).wrapping_add(byte.into()));
        let start = start % turns.len();
        turns.rotate_left(start);
    }
    let streams = turns.iter().flat_map(|(credential, tenant)| {
        datasets.iter().map(move |dataset| Message {
            credential: (*credential).to_owned(),
            tenant: (*tenant).clone(),
            dataset: *dataset,
            plan: id.to_owned(),
            turn: 0,
        })
    });
    streams.collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_stream_has_one_message_whichever_comes_first() {
        let tenants = ["a", "b", "c"].map(Member::of).to_vec();
        let served = [
            Served { credential: "large".into(), tenants },
            Served { credential: "small".into(), tenants: vec![Member::of("x")] },
        ];
        let mut firsts = BTreeSet::new();
        for id in ["1", "2", "3", "4", "an id", ""] {
            let messages = messages(&served, &Dataset::ALL, id);
            let streams: BTreeSet<_> = messages.iter().map(Message::group).collect();
            assert_eq!((messages.len(), streams.len()), (8, 8));
            firsts.insert(messages[0].group());
        }
        assert!(firsts.len() > 1, "{firsts:?}");
        assert!(messages(&[], &Dataset::ALL, "1").is_empty());
    }
}
