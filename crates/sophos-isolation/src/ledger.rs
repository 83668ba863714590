//! The ledger: what was decided and done, one object a transition, each
//! created only if it is absent, none ever changed.
//!
//! The webhook creates these objects and no others:
//!
//! | object | content |
//! |---|---|
//! | `received/<id>.json` | the first [`LedgerEntry`] of a decision: the verified signal |
//! | `answers/<id>.json` | the answer of a person who followed an approval link |
//! | `inbox/<when>-<id>` | a reminder: the worker looks at the decision then |
//! | `replays/<source>/<digest>` | the decision that a signed request was used for |
//! | `unreadable/<source>/<hour>/<n>` | an authentic request that could not be read |
//!
//! The worker creates these. Budgets, ownership and every transition follow from
//! them and from the state at Sophos Central alone:
//!
//! | object | content |
//! |---|---|
//! | `decisions/<id>/0001.json` | an [`LedgerEntry`]: one transition of a decision, the first a copy of `received/<id>.json` |
//! | `schedule/<when>-<id>` | a reminder: the worker looks at the decision then |
//! | `claims/<tenant>/<endpoint>/<id>` | the decision holds this endpoint |
//! | `permits/…/<n>` | a slot of a budget, and its holder |
//! | `alerts/<source>/<alert>/<tenant>.<endpoint>/<n>` | the decision of an alert's n-th episode on an endpoint |
//! | `checks/<id>.json` | the answer to a dry run that came through the queue |
//! | `published/<id>-<sequence>` | the outcome was published |
//!
//! The operator creates `stop`: while it exists, nothing is isolated
//! (see [`emergency_stop`](crate::emergency_stop)).
//!
//! That the next number must not exist is what makes several runs one: of all
//! that want to take the same step, one does.

use std::{
    fmt,
    hash::{BuildHasher, Hasher, RandomState},
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use crate::decision::{Decision, DecisionId, LedgerEntry, ReceivedSignal, Transition};

/// Decisions are looked at in steps of so many seconds, so that two reminders
/// of one moment are one object.
const SCHEDULE_STEP_SECONDS: u64 = 30;

/// The folder of the webhook's reminders.
const INBOX: &str = "inbox";

/// The folder of the worker's reminders.
const SCHEDULE: &str = "schedule";

/// Where the ledger is kept.
///
/// The one thing it must do is create an object only if there is none, for
/// good and for everybody who asks afterwards.
pub trait LedgerStore: Send + Sync {
    /// Creates an object. `false` when there is one already.
    fn create(
        &self,
        path: &str,
        body: Vec<u8>,
    ) -> impl Future<Output = Result<bool, LedgerStoreError>> + Send;

    /// Reads an object, if there is one.
    fn read(&self, path: &str) -> impl Future<Output = Result<Option<Vec<u8>>, LedgerStoreError>> + Send;

    /// Removes an object, if there is one. Nothing of a decision is ever
    /// removed: only reminders, slots and holds.
    ///
    /// A store that does not allow it may return `Ok`, with a warning. No removal
    /// frees anything: a slot is freed by the object of its next generation, and
    /// holds and reminders of ended decisions are passed over. What stays costs
    /// longer listings, and a look at its decision in each follow-up; a lookup
    /// permit that stays is counted until its hour ends.
    fn delete(&self, path: &str) -> impl Future<Output = Result<(), LedgerStoreError>> + Send;

    /// The names of the objects in a folder, in order.
    fn list(&self, folder: &str) -> impl Future<Output = Result<Vec<String>, LedgerStoreError>> + Send;
}

/// The store failed, or holds what is not of this ledger. Whether a write was
/// carried out is open.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the ledger's store: {0}")]
pub struct LedgerStoreError(String);

impl LedgerStoreError {
    /// A failure, in words that hold no secret.
    pub fn new(text: impl fmt::Display) -> Self {
        Self(text.to_string())
    }
}

/// The ledger over a store.
#[derive(Debug)]
pub struct Ledger<O> {
    store: O,
    /// The name of this process among all that write.
    writer_id: String,
    /// Steps that it has tried to take.
    attempts: AtomicU64,
}

/// What came of beginning a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CreatedDecision {
    /// It is new.
    New(Decision),
    /// The event was seen before.
    Existing(Decision),
}

impl<O: LedgerStore> Ledger<O> {
    /// The ledger in this store.
    pub fn new(objects: O) -> Self {
        let random = || RandomState::new().build_hasher().finish();
        Self::with_writer_id(objects, format!("{:016x}{:016x}", random(), random()))
    }

    /// The ledger in this store, for a host that names its runs. No two may
    /// have the same name.
    pub fn with_writer_id(objects: O, writer_id: impl Into<String>) -> Self {
        Self { store: objects, writer_id: writer_id.into(), attempts: AtomicU64::new(0) }
    }

    /// The store.
    pub fn store(&self) -> &O {
        &self.store
    }

    /// Begins the decision of an event, unless it was begun before, with a
    /// reminder a minute from now: a signal whose message is lost is still found.
    /// Creates objects of the webhook only.
    ///
    /// # Errors
    /// When the store fails. Beginning again is safe.
    pub async fn create_decision(
        &self,
        id: &DecisionId,
        received: &ReceivedSignal,
        now: Duration,
    ) -> Result<CreatedDecision, LedgerStoreError> {
        let entry = self.new_entry(id, 1, Transition::Received(Box::new(received.clone())), now);
        let body = encode_entry(&entry)?;
        let path = received_path(id);
        // Reminded first: a decision without a reminder could be forgotten.
        let remind = self.schedule_in(INBOX, id, now.as_secs() + 60);
        let (reminded, created) = futures_util::future::join(remind, self.store.create(&path, body)).await;
        reminded?;
        if created? {
            return Ok(CreatedDecision::New(Decision { id: id.clone(), entries: vec![entry] }));
        }
        let decision = self.load_decision(id).await?;
        let decision =
            decision.ok_or_else(|| LedgerStoreError::new(format!("{path} was there and is gone")))?;
        // The store may have created it and lost its answer.
        Ok(if decision.entries == [entry] {
            CreatedDecision::New(decision)
        } else {
            CreatedDecision::Existing(decision)
        })
    }

    /// Reads a decision back whole; `None` when there is none of this id. One that
    /// the worker has not taken up has the webhook's entry alone.
    ///
    /// # Errors
    /// When the store fails, or an object of the decision cannot be read.
    pub async fn load_decision(&self, id: &DecisionId) -> Result<Option<Decision>, LedgerStoreError> {
        let mut entries: Vec<LedgerEntry> = Vec::new();
        loop {
            let sequence = entries.len() as u32 + 1;
            let path = entry_path(id, sequence);
            let Some(body) = self.store.read(&path).await? else { break };
            entries.push(decode_entry(&path, &body, id, sequence)?);
        }
        if entries.is_empty()
            && let path = received_path(id)
            && let Some(body) = self.store.read(&path).await?
        {
            let entry = decode_entry(&path, &body, id, 1)?;
            if !matches!(entry.transition, Transition::Received(_)) {
                return Err(LedgerStoreError::new(format!("invalid object \"{path}\": expected a signal")));
            }
            entries.push(entry);
        }
        Ok((!entries.is_empty()).then(|| Decision { id: id.clone(), entries }))
    }

    /// Takes the next step of a decision, unless somebody else has taken one
    /// since it was read. Says whether it was taken; if not, read it again. The
    /// first step of a decision copies the webhook's entry to the worker's: what
    /// becomes of `received/` afterwards changes nothing.
    ///
    /// # Errors
    /// When the store fails; the step may have been taken.
    pub async fn append_transition(
        &self,
        decision: &mut Decision,
        step: Transition,
        now: Duration,
    ) -> Result<bool, LedgerStoreError> {
        if let [received] = decision.entries.as_slice()
            && !self.write_entry(received).await?
        {
            return Ok(false);
        }
        let sequence = decision.entries.len() as u32 + 1;
        let entry = self.new_entry(&decision.id, sequence, step, now);
        let is_taken = self.write_entry(&entry).await?;
        if is_taken {
            decision.entries.push(entry);
        }
        Ok(is_taken)
    }

    /// Creates an entry. Says whether it is the one that is there.
    async fn write_entry(&self, entry: &LedgerEntry) -> Result<bool, LedgerStoreError> {
        let path = entry_path(&entry.decision, entry.sequence);
        if self.store.create(&path, encode_entry(entry)?).await? {
            return Ok(true);
        }
        let there = self.store.read(&path).await?.and_then(|body| serde_json::from_slice(&body).ok());
        Ok(there.as_ref() == Some(entry))
    }

    /// A name that nothing else has, of this run or another.
    pub(crate) fn next_attempt_id(&self) -> String {
        format!("{}-{}", self.writer_id, self.attempts.fetch_add(1, Ordering::Relaxed))
    }

    fn new_entry(&self, id: &DecisionId, sequence: u32, step: Transition, now: Duration) -> LedgerEntry {
        LedgerEntry {
            version: 1,
            decision: id.clone(),
            sequence,
            at_ms: now.as_millis() as u64,
            // No two entries are the same, and whoever finds its own knows it.
            attempt_id: self.next_attempt_id(),
            transition: step,
        }
    }

    /// Puts a decision on the worker's agenda, for a moment in seconds since the
    /// Unix epoch.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn schedule_follow_up(
        &self,
        id: &DecisionId,
        at: u64,
    ) -> Result<ScheduledFollowUp, LedgerStoreError> {
        self.schedule_in(SCHEDULE, id, at).await
    }

    async fn schedule_in(
        &self,
        folder: &'static str,
        id: &DecisionId,
        at: u64,
    ) -> Result<ScheduledFollowUp, LedgerStoreError> {
        let at = at.div_ceil(SCHEDULE_STEP_SECONDS) * SCHEDULE_STEP_SECONDS;
        let reminder =
            ScheduledFollowUp { path: format!("{folder}/{at:012}-{id}"), id: id.clone(), due_at: at };
        self.store.create(&reminder.path, Vec::new()).await?;
        Ok(reminder)
    }

    /// Puts a decision on the agenda for the next moment that has not come: a
    /// follow-up that is under way may take one for this very moment off, and
    /// have read the decision before.
    pub(crate) async fn schedule_follow_up_soon(
        &self,
        id: &DecisionId,
        now: Duration,
    ) -> Result<(), LedgerStoreError> {
        self.schedule_in(SCHEDULE, id, now.as_secs() + 1).await.map(drop)
    }

    /// The same, in the webhook's folder.
    pub(crate) async fn schedule_inbox_follow_up(
        &self,
        id: &DecisionId,
        now: Duration,
    ) -> Result<(), LedgerStoreError> {
        self.schedule_in(INBOX, id, now.as_secs() + 1).await.map(drop)
    }

    /// What is due at `now`.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn due_follow_ups(&self, now: Duration) -> Result<Vec<ScheduledFollowUp>, LedgerStoreError> {
        let agenda = self.scheduled_follow_ups().await?;
        Ok(agenda.into_iter().filter(|reminder| reminder.due_at <= now.as_secs()).collect())
    }

    /// All reminders, those of the webhook and those of the worker, the earliest
    /// first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn scheduled_follow_ups(&self) -> Result<Vec<ScheduledFollowUp>, LedgerStoreError> {
        let list = |folder| async move {
            let names = self.store.list(folder).await?;
            let reminders = names.into_iter().filter_map(move |name| {
                let (at, id) = name.split_once('-')?;
                let path = format!("{folder}/{name}");
                Some(ScheduledFollowUp { due_at: at.parse().ok()?, id: id.parse().ok()?, path })
            });
            Ok::<_, LedgerStoreError>(reminders.collect::<Vec<_>>())
        };
        let (inbox, agenda) = futures_util::future::try_join(list(INBOX), list(SCHEDULE)).await?;
        let mut all = [inbox, agenda].concat();
        all.sort_by_key(|reminder| reminder.due_at);
        Ok(all)
    }

    /// Takes a reminder off the agenda.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn delete_follow_up(&self, reminder: &ScheduledFollowUp) -> Result<(), LedgerStoreError> {
        self.store.delete(&reminder.path).await
    }
}

/// A decision that is to be looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScheduledFollowUp {
    path: String,
    /// The decision.
    pub id: DecisionId,
    /// When, in seconds since the Unix epoch.
    pub due_at: u64,
}

/// The folder that names every decision about an endpoint that has not ended.
pub(crate) fn claims_folder(tenant: &str, endpoint: &str) -> String {
    format!("claims/{tenant}/{endpoint}")
}

fn entry_path(id: &DecisionId, sequence: u32) -> String {
    format!("decisions/{id}/{sequence:04}.json")
}

fn received_path(id: &DecisionId) -> String {
    format!("received/{id}.json")
}

/// Reads the entry of a decision, which must be the one of this number.
fn decode_entry(
    path: &str,
    body: &[u8],
    id: &DecisionId,
    sequence: u32,
) -> Result<LedgerEntry, LedgerStoreError> {
    let entry: LedgerEntry = serde_json::from_slice(body).map_err(|error| {
        LedgerStoreError::new(format!("{path} is no entry of this ledger ({error}); restore it"))
    })?;
    if entry.version != 1 || entry.sequence != sequence || entry.decision != *id {
        return Err(LedgerStoreError::new(format!("{path} belongs elsewhere, or a newer release wrote it")));
    }
    Ok(entry)
}

fn encode_entry(entry: &LedgerEntry) -> Result<Vec<u8>, LedgerStoreError> {
    serde_json::to_vec_pretty(entry).map_err(LedgerStoreError::new)
}

impl<O: LedgerStore> LedgerStore for std::sync::Arc<O> {
    fn create(
        &self,
        path: &str,
        body: Vec<u8>,
    ) -> impl Future<Output = Result<bool, LedgerStoreError>> + Send {
        O::create(self, path, body)
    }

    fn read(&self, path: &str) -> impl Future<Output = Result<Option<Vec<u8>>, LedgerStoreError>> + Send {
        O::read(self, path)
    }

    fn delete(&self, path: &str) -> impl Future<Output = Result<(), LedgerStoreError>> + Send {
        O::delete(self, path)
    }

    fn list(&self, folder: &str) -> impl Future<Output = Result<Vec<String>, LedgerStoreError>> + Send {
        O::list(self, folder)
    }
}
