//! The ledger: the decisions and their transitions, in an object store.
//!
//! Each transition is an object that is created only if it is absent, and never
//! changed. The next number must not exist yet, so of concurrent runs only one
//! records a transition. `ledger/paths.rs` lists all objects.

pub(crate) mod paths;

use std::{
    error::Error,
    fmt,
    hash::{BuildHasher, Hasher, RandomState},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use crate::decision::{Decision, DecisionId, LedgerEntry, ReceivedSignal, Transition};

/// The times of follow-ups are rounded up to multiples of this, so that several
/// for one time are one object.
const SCHEDULE_STEP_SECONDS: u64 = 30;

/// The object store of a ledger.
///
/// It must create objects conditionally, and every later read must see them.
pub trait LedgerStore: Send + Sync {
    /// Creates an object if it is absent. Returns `false` if it exists.
    fn create(
        &self,
        path: &str,
        body: Vec<u8>,
    ) -> impl Future<Output = Result<bool, LedgerStoreError>> + Send;

    /// Reads an object, if it exists.
    fn read(&self, path: &str) -> impl Future<Output = Result<Option<Vec<u8>>, LedgerStoreError>> + Send;

    /// Deletes an object, if it exists. The engine never deletes transitions: only
    /// scheduled follow-ups, permits and claims.
    ///
    /// A store that cannot delete may return `Ok`, with a warning. Deletions are an
    /// optimization: a permit is released by the object of its next generation, and
    /// the engine ignores the claims and follow-ups of ended decisions. Objects that
    /// stay make listings longer, and a lookup permit counts until its hour ends.
    fn delete(&self, path: &str) -> impl Future<Output = Result<(), LedgerStoreError>> + Send;

    /// Returns the names of the objects in a folder, sorted.
    fn list(&self, folder: &str) -> impl Future<Output = Result<Vec<String>, LedgerStoreError>> + Send;
}

/// A failure of the store, or an invalid object. A failed write may have been
/// applied.
#[derive(Debug, Clone)]
pub struct LedgerStoreError(Arc<dyn Error + Send + Sync>);

impl LedgerStoreError {
    /// Creates an error from its cause, an error or a text. Its text must contain no
    /// secret.
    pub fn new(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(cause.into().into())
    }
}

impl fmt::Display for LedgerStoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ledger store failed: {}", self.0)
    }
}

impl Error for LedgerStoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.0)
    }
}

/// A ledger in an object store.
#[derive(Debug)]
pub struct Ledger<O> {
    store: O,
    /// The unique id of this process.
    writer_id: String,
    /// The number of attempts to write.
    attempts: AtomicU64,
}

/// The result of [`Ledger::create_decision`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CreatedDecision {
    /// The decision is new.
    New(Decision),
    /// The decision of this event exists.
    Existing(Decision),
}

impl<O: LedgerStore> Ledger<O> {
    /// Opens the ledger in a store, with a random writer id.
    pub fn new(store: O) -> Self {
        let random = || RandomState::new().build_hasher().finish();
        Self::with_writer_id(store, format!("{:016x}{:016x}", random(), random()))
    }

    /// Opens the ledger in a store, with a writer id. No two runs may have the same.
    pub fn with_writer_id(store: O, writer_id: impl Into<String>) -> Self {
        Self { store, writer_id: writer_id.into(), attempts: AtomicU64::new(0) }
    }

    /// Returns the store.
    pub fn store(&self) -> &O {
        &self.store
    }

    /// Creates the decision of an event, unless it exists. Before that it records the
    /// arrival, by which the export finds the decision, and schedules a follow-up in a
    /// minute, which finds it if its message is lost. It creates only objects of the
    /// webhook.
    ///
    /// # Errors
    /// When the store fails. A retry is safe.
    pub async fn create_decision(
        &self,
        id: &DecisionId,
        received: &ReceivedSignal,
        now: Duration,
    ) -> Result<CreatedDecision, LedgerStoreError> {
        let entry = self.new_entry(id, 1, Transition::Received(Box::new(received.clone())), now);
        let body = encode_entry(&entry)?;
        let (path, arrival) = (paths::received(id), paths::arrival(entry.at_ms, id));
        // Without these the decision could be lost, to the worker or to the export. A
        // later arrival of the same event has another time, which the export ignores.
        let schedule = self.schedule_in(paths::INBOX, id, now.as_secs() + 60);
        let arrive = self.store.create(&arrival, Vec::new());
        futures_util::future::try_join(schedule, arrive).await?;
        if self.store.create(&path, body).await? {
            return Ok(CreatedDecision::New(Decision { id: id.clone(), entries: vec![entry] }));
        }
        let decision = self.load_decision(id).await?;
        let decision = decision
            .ok_or_else(|| LedgerStoreError::new(format!("missing object \"{path}\": it existed")))?;
        // A retry inside the store may find the object that it created itself.
        Ok(if decision.entries == [entry] {
            CreatedDecision::New(decision)
        } else {
            CreatedDecision::Existing(decision)
        })
    }

    /// Loads a decision; `None` if it does not exist. Until the worker processes it,
    /// it has only the webhook's entry.
    ///
    /// # Errors
    /// When the store fails, or an object of the decision is invalid.
    pub async fn load_decision(&self, id: &DecisionId) -> Result<Option<Decision>, LedgerStoreError> {
        let mut entries: Vec<LedgerEntry> = Vec::new();
        loop {
            let sequence = entries.len() as u32 + 1;
            let path = paths::entry(id, sequence);
            let Some(body) = self.store.read(&path).await? else { break };
            entries.push(decode_entry(&path, &body, id, sequence)?);
        }
        if entries.is_empty()
            && let path = paths::received(id)
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

    /// Returns the ids of all decisions, in no particular order. A ledger keeps ended
    /// decisions; [`scheduled_follow_ups`](Self::scheduled_follow_ups) has the others.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn decision_ids(&self) -> Result<Vec<DecisionId>, LedgerStoreError> {
        let names = self.store.list(paths::RECEIVED).await?;
        Ok(names.iter().filter_map(|name| name.strip_suffix(".json")?.parse().ok()).collect())
    }

    /// Appends a transition to a decision, unless another run has appended one since
    /// it was loaded. Returns whether it was appended; if not, load the decision
    /// again. The first transition copies the webhook's entry to the worker's
    /// folder, so later changes in `received/` have no effect.
    ///
    /// # Errors
    /// When the store fails; the transition may have been appended.
    pub async fn append_transition(
        &self,
        decision: &mut Decision,
        transition: Transition,
        now: Duration,
    ) -> Result<bool, LedgerStoreError> {
        if let [received] = decision.entries.as_slice()
            && !self.write_entry(received).await?
        {
            return Ok(false);
        }
        let sequence = decision.entries.len() as u32 + 1;
        let entry = self.new_entry(&decision.id, sequence, transition, now);
        let is_written = self.write_entry(&entry).await?;
        if is_written {
            decision.entries.push(entry);
        }
        Ok(is_written)
    }

    /// Creates an entry. Returns whether the stored entry is this one.
    async fn write_entry(&self, entry: &LedgerEntry) -> Result<bool, LedgerStoreError> {
        let path = paths::entry(&entry.decision, entry.sequence);
        if self.store.create(&path, encode_entry(entry)?).await? {
            return Ok(true);
        }
        let stored = self.store.read(&path).await?.and_then(|body| serde_json::from_slice(&body).ok());
        Ok(stored.as_ref() == Some(entry))
    }

    /// Returns a unique id for an attempt.
    pub(crate) fn next_attempt_id(&self) -> String {
        format!("{}-{}", self.writer_id, self.attempts.fetch_add(1, Ordering::Relaxed))
    }

    fn new_entry(
        &self,
        id: &DecisionId,
        sequence: u32,
        transition: Transition,
        now: Duration,
    ) -> LedgerEntry {
        LedgerEntry {
            version: 1,
            decision: id.clone(),
            sequence,
            at_ms: now.as_millis() as u64,
            // Makes every entry unique, so that a writer recognizes its own.
            attempt_id: self.next_attempt_id(),
            transition,
        }
    }

    /// Schedules a follow-up of a decision, at `at` seconds since the Unix epoch.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn schedule_follow_up(
        &self,
        id: &DecisionId,
        at: u64,
    ) -> Result<ScheduledFollowUp, LedgerStoreError> {
        self.schedule_in(paths::SCHEDULE, id, at).await
    }

    async fn schedule_in(
        &self,
        folder: &'static str,
        id: &DecisionId,
        at: u64,
    ) -> Result<ScheduledFollowUp, LedgerStoreError> {
        let due_at = at.div_ceil(SCHEDULE_STEP_SECONDS) * SCHEDULE_STEP_SECONDS;
        let path = paths::follow_up(folder, due_at, id);
        self.store.create(&path, Vec::new()).await?;
        Ok(ScheduledFollowUp { path, id: id.clone(), due_at })
    }

    /// Schedules a follow-up as soon as possible, but not now: a follow-up that runs
    /// now may have loaded the decision before, and deletes those that are due.
    pub(crate) async fn schedule_follow_up_soon(
        &self,
        id: &DecisionId,
        now: Duration,
    ) -> Result<(), LedgerStoreError> {
        self.schedule_in(paths::SCHEDULE, id, now.as_secs() + 1).await.map(drop)
    }

    /// Schedules a follow-up as soon as possible, in the webhook's folder.
    pub(crate) async fn schedule_inbox_follow_up(
        &self,
        id: &DecisionId,
        now: Duration,
    ) -> Result<(), LedgerStoreError> {
        self.schedule_in(paths::INBOX, id, now.as_secs() + 1).await.map(drop)
    }

    /// Returns the follow-ups that are due at `now`.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn due_follow_ups(&self, now: Duration) -> Result<Vec<ScheduledFollowUp>, LedgerStoreError> {
        let all = self.scheduled_follow_ups().await?;
        Ok(all.into_iter().filter(|scheduled| scheduled.due_at <= now.as_secs()).collect())
    }

    /// Returns all scheduled follow-ups, of the webhook and the worker, the earliest
    /// first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn scheduled_follow_ups(&self) -> Result<Vec<ScheduledFollowUp>, LedgerStoreError> {
        let list = |folder| async move {
            let names = self.store.list(folder).await?;
            let scheduled = names.into_iter().filter_map(move |name| {
                let (at, id) = name.split_once('-')?;
                let path = format!("{folder}/{name}");
                Some(ScheduledFollowUp { due_at: at.parse().ok()?, id: id.parse().ok()?, path })
            });
            Ok::<_, LedgerStoreError>(scheduled.collect::<Vec<_>>())
        };
        let (inbox, schedule) =
            futures_util::future::try_join(list(paths::INBOX), list(paths::SCHEDULE)).await?;
        let mut all = [inbox, schedule].concat();
        all.sort_by_key(|scheduled| scheduled.due_at);
        Ok(all)
    }

    /// Deletes a scheduled follow-up.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn delete_follow_up(&self, scheduled: &ScheduledFollowUp) -> Result<(), LedgerStoreError> {
        self.store.delete(&scheduled.path).await
    }
}

/// A scheduled follow-up of a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScheduledFollowUp {
    path: String,
    /// The decision.
    pub id: DecisionId,
    /// The time at which it is due, in seconds since the Unix epoch.
    pub due_at: u64,
}

/// Decodes an entry, which must be of this decision and number.
fn decode_entry(
    path: &str,
    body: &[u8],
    id: &DecisionId,
    sequence: u32,
) -> Result<LedgerEntry, LedgerStoreError> {
    let entry: LedgerEntry = serde_json::from_slice(body).map_err(|error| {
        LedgerStoreError::new(format!("invalid object \"{path}\": expected a ledger entry ({error})"))
    })?;
    if entry.version != 1 || entry.sequence != sequence || entry.decision != *id {
        let expected = format!("expected entry {sequence} of {id} in version 1");
        return Err(LedgerStoreError::new(format!("invalid object \"{path}\": {expected}")));
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
