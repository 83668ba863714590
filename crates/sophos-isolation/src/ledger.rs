//! The ledger: what was decided and done, one object a transition, each
//! created only if it is absent, none ever changed.
//!
//! The webhook creates these objects and no others:
//!
//! | object | content |
//! |---|---|
//! | `received/<id>.json` | the first [`Entry`] of a decision: the verified signal |
//! | `answers/<id>.json` | the answer of a person who followed an approval link |
//! | `inbox/<when>-<id>` | a reminder: the worker looks at the decision then |
//! | `seen/<source>/<digest>` | the decision that a signed request was used for |
//! | `unreadable/<source>/<hour>/<slot>` | an authentic request that could not be read |
//!
//! The worker creates these. Budgets, ownership and every transition follow from
//! them and from the state at Sophos Central alone:
//!
//! | object | content |
//! |---|---|
//! | `decisions/<id>/0001.json` | an [`Entry`]: one transition of a decision, the first a copy of `received/<id>.json` |
//! | `agenda/<when>-<id>` | a reminder: the worker looks at the decision then |
//! | `machines/<tenant>/<endpoint>/<id>` | the decision holds this endpoint |
//! | `slots/…/<n>` | a slot of a budget, and its holder |
//! | `alerts/<source>/<alert>/<tenant>.<endpoint>/<n>` | the decision of an alert's n-th episode on an endpoint |
//! | `checks/<id>.json` | the answer to a dry run that came through the queue |
//! | `published/<id>-<sequence>` | the outcome was published |
//!
//! The operator creates `stop`: while it exists, nothing is isolated
//! (see [`stop`](crate::stop)).
//!
//! That the next number must not exist is what makes several runs one: of all
//! that want to take the same step, one does.

use std::{
    fmt,
    hash::{BuildHasher, Hasher, RandomState},
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use crate::decision::{Decision, DecisionId, Entry, Received, Step};

/// Decisions are looked at in steps of so many seconds, so that two reminders
/// of one moment are one object.
const AGENDA_STEP: u64 = 30;

/// The folder of the webhook's reminders.
const INBOX: &str = "inbox";

/// The folder of the worker's reminders.
const AGENDA: &str = "agenda";

/// Where the ledger is kept.
///
/// The one thing it must do is create an object only if there is none, for
/// good and for everybody who asks afterwards.
pub trait Objects: Send + Sync {
    /// Creates an object. `false` when there is one already.
    fn create(&self, path: &str, body: Vec<u8>) -> impl Future<Output = Result<bool, StoreFailure>> + Send;

    /// Reads an object, if there is one.
    fn read(&self, path: &str) -> impl Future<Output = Result<Option<Vec<u8>>, StoreFailure>> + Send;

    /// Removes an object, if there is one. Nothing of a decision is ever
    /// removed: only reminders, slots and holds.
    ///
    /// A store that does not allow it may return `Ok`, with a warning. No removal
    /// frees anything: a slot is freed by the object of its next generation, and
    /// holds and reminders of ended decisions are passed over. What stays costs
    /// longer listings, and a look at its decision in each follow-up; a lookup
    /// permit that stays is counted until its hour ends.
    fn remove(&self, path: &str) -> impl Future<Output = Result<(), StoreFailure>> + Send;

    /// The names of the objects in a folder, in order.
    fn names(&self, folder: &str) -> impl Future<Output = Result<Vec<String>, StoreFailure>> + Send;
}

/// The store failed, or holds what is not of this ledger. Whether a write was
/// carried out is open.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the ledger's store: {0}")]
pub struct StoreFailure(String);

impl StoreFailure {
    /// A failure, in words that hold no secret.
    pub fn new(text: impl fmt::Display) -> Self {
        Self(text.to_string())
    }
}

/// The ledger over a store.
#[derive(Debug)]
pub struct Ledger<O> {
    objects: O,
    /// The name of this process among all that write.
    run: String,
    /// Steps that it has tried to take.
    steps: AtomicU64,
}

/// What came of beginning a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begun {
    /// It is new.
    New(Decision),
    /// The event was seen before.
    Known(Decision),
}

impl<O: Objects> Ledger<O> {
    /// The ledger in this store.
    pub fn new(objects: O) -> Self {
        let random = || RandomState::new().build_hasher().finish();
        Self::of_run(objects, format!("{:016x}{:016x}", random(), random()))
    }

    /// The ledger in this store, for a host that names its runs. No two may
    /// have the same name.
    pub fn of_run(objects: O, run: impl Into<String>) -> Self {
        Self { objects, run: run.into(), steps: AtomicU64::new(0) }
    }

    /// The store.
    pub fn objects(&self) -> &O {
        &self.objects
    }

    /// Begins the decision of an event, unless it was begun before, with a
    /// reminder a minute from now: a signal whose message is lost is still found.
    /// Creates objects of the webhook only.
    ///
    /// # Errors
    /// When the store fails. Beginning again is safe.
    pub async fn begin(
        &self,
        id: &DecisionId,
        received: &Received,
        now: Duration,
    ) -> Result<Begun, StoreFailure> {
        let entry = self.entry(id, 1, Step::Received(Box::new(received.clone())), now);
        let body = encode(&entry)?;
        let path = received_path(id);
        // Reminded first: a decision without a reminder could be forgotten.
        let remind = self.remind_in(INBOX, id, now.as_secs() + 60);
        let (reminded, created) = futures_util::future::join(remind, self.objects.create(&path, body)).await;
        reminded?;
        if created? {
            return Ok(Begun::New(Decision { id: id.clone(), entries: vec![entry] }));
        }
        let decision = self.decision(id).await?;
        let decision = decision.ok_or_else(|| StoreFailure::new(format!("{path} was there and is gone")))?;
        // The store may have created it and lost its answer.
        Ok(if decision.entries == [entry] { Begun::New(decision) } else { Begun::Known(decision) })
    }

    /// Reads a decision back whole; `None` when there is none of this id. One that
    /// the worker has not taken up has the webhook's entry alone.
    ///
    /// # Errors
    /// When the store fails, or an object of the decision cannot be read.
    pub async fn decision(&self, id: &DecisionId) -> Result<Option<Decision>, StoreFailure> {
        let mut entries: Vec<Entry> = Vec::new();
        loop {
            let sequence = entries.len() as u32 + 1;
            let path = entry_path(id, sequence);
            let Some(body) = self.objects.read(&path).await? else { break };
            entries.push(decode(&path, &body, id, sequence)?);
        }
        if entries.is_empty()
            && let path = received_path(id)
            && let Some(body) = self.objects.read(&path).await?
        {
            let entry = decode(&path, &body, id, 1)?;
            if !matches!(entry.step, Step::Received(_)) {
                return Err(StoreFailure::new(format!("invalid object \"{path}\": expected a signal")));
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
    pub async fn take(
        &self,
        decision: &mut Decision,
        step: Step,
        now: Duration,
    ) -> Result<bool, StoreFailure> {
        if let [received] = decision.entries.as_slice()
            && !self.put(received).await?
        {
            return Ok(false);
        }
        let sequence = decision.entries.len() as u32 + 1;
        let entry = self.entry(&decision.id, sequence, step, now);
        let is_taken = self.put(&entry).await?;
        if is_taken {
            decision.entries.push(entry);
        }
        Ok(is_taken)
    }

    /// Creates an entry. Says whether it is the one that is there.
    async fn put(&self, entry: &Entry) -> Result<bool, StoreFailure> {
        let path = entry_path(&entry.decision, entry.sequence);
        if self.objects.create(&path, encode(entry)?).await? {
            return Ok(true);
        }
        let there = self.objects.read(&path).await?.and_then(|body| serde_json::from_slice(&body).ok());
        Ok(there.as_ref() == Some(entry))
    }

    /// A name that nothing else has, of this run or another.
    pub(crate) fn attempt(&self) -> String {
        format!("{}-{}", self.run, self.steps.fetch_add(1, Ordering::Relaxed))
    }

    fn entry(&self, id: &DecisionId, sequence: u32, step: Step, now: Duration) -> Entry {
        Entry {
            version: 1,
            decision: id.clone(),
            sequence,
            at_ms: now.as_millis() as u64,
            // No two entries are the same, and whoever finds its own knows it.
            run: self.attempt(),
            step,
        }
    }

    /// Puts a decision on the worker's agenda, for a moment in seconds since the
    /// Unix epoch.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn remind(&self, id: &DecisionId, at: u64) -> Result<Reminder, StoreFailure> {
        self.remind_in(AGENDA, id, at).await
    }

    async fn remind_in(
        &self,
        folder: &'static str,
        id: &DecisionId,
        at: u64,
    ) -> Result<Reminder, StoreFailure> {
        let at = at.div_ceil(AGENDA_STEP) * AGENDA_STEP;
        let reminder = Reminder { path: format!("{folder}/{at:012}-{id}"), id: id.clone(), at };
        self.objects.create(&reminder.path, Vec::new()).await?;
        Ok(reminder)
    }

    /// Puts a decision on the agenda for the next moment that has not come: a
    /// follow-up that is under way may take one for this very moment off, and
    /// have read the decision before.
    pub(crate) async fn remind_soon(&self, id: &DecisionId, now: Duration) -> Result<(), StoreFailure> {
        self.remind_in(AGENDA, id, now.as_secs() + 1).await.map(drop)
    }

    /// The same, in the webhook's folder.
    pub(crate) async fn remind_worker(&self, id: &DecisionId, now: Duration) -> Result<(), StoreFailure> {
        self.remind_in(INBOX, id, now.as_secs() + 1).await.map(drop)
    }

    /// What is due at `now`.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn due(&self, now: Duration) -> Result<Vec<Reminder>, StoreFailure> {
        let agenda = self.agenda().await?;
        Ok(agenda.into_iter().filter(|reminder| reminder.at <= now.as_secs()).collect())
    }

    /// All reminders, those of the webhook and those of the worker, the earliest
    /// first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn agenda(&self) -> Result<Vec<Reminder>, StoreFailure> {
        let list = |folder| async move {
            let names = self.objects.names(folder).await?;
            let reminders = names.into_iter().filter_map(move |name| {
                let (at, id) = name.split_once('-')?;
                let path = format!("{folder}/{name}");
                Some(Reminder { at: at.parse().ok()?, id: id.parse().ok()?, path })
            });
            Ok::<_, StoreFailure>(reminders.collect::<Vec<_>>())
        };
        let (inbox, agenda) = futures_util::future::try_join(list(INBOX), list(AGENDA)).await?;
        let mut all = [inbox, agenda].concat();
        all.sort_by_key(|reminder| reminder.at);
        Ok(all)
    }

    /// Takes a reminder off the agenda.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn forget(&self, reminder: &Reminder) -> Result<(), StoreFailure> {
        self.objects.remove(&reminder.path).await
    }
}

/// A decision that is to be looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reminder {
    path: String,
    /// The decision.
    pub id: DecisionId,
    /// When, in seconds since the Unix epoch.
    pub at: u64,
}

/// The folder that names every decision about an endpoint that has not ended.
pub(crate) fn machine_folder(tenant: &str, endpoint: &str) -> String {
    format!("machines/{tenant}/{endpoint}")
}

fn entry_path(id: &DecisionId, sequence: u32) -> String {
    format!("decisions/{id}/{sequence:04}.json")
}

fn received_path(id: &DecisionId) -> String {
    format!("received/{id}.json")
}

/// Reads the entry of a decision, which must be the one of this number.
fn decode(path: &str, body: &[u8], id: &DecisionId, sequence: u32) -> Result<Entry, StoreFailure> {
    let entry: Entry = serde_json::from_slice(body).map_err(|error| {
        StoreFailure::new(format!("{path} is no entry of this ledger ({error}); restore it"))
    })?;
    if entry.version != 1 || entry.sequence != sequence || entry.decision != *id {
        return Err(StoreFailure::new(format!("{path} belongs elsewhere, or a newer release wrote it")));
    }
    Ok(entry)
}

fn encode(entry: &Entry) -> Result<Vec<u8>, StoreFailure> {
    serde_json::to_vec_pretty(entry).map_err(StoreFailure::new)
}

impl<O: Objects> Objects for std::sync::Arc<O> {
    fn create(&self, path: &str, body: Vec<u8>) -> impl Future<Output = Result<bool, StoreFailure>> + Send {
        O::create(self, path, body)
    }

    fn read(&self, path: &str) -> impl Future<Output = Result<Option<Vec<u8>>, StoreFailure>> + Send {
        O::read(self, path)
    }

    fn remove(&self, path: &str) -> impl Future<Output = Result<(), StoreFailure>> + Send {
        O::remove(self, path)
    }

    fn names(&self, folder: &str) -> impl Future<Output = Result<Vec<String>, StoreFailure>> + Send {
        O::names(self, folder)
    }
}
