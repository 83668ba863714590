use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_lock::Mutex as AsyncMutex;
use aws_sdk_secretsmanager::Client;
use jiff::Timestamp;
use secrecy::SecretString;
use sophos_api::BoxFuture;

use super::{
    batch::{self, Current, MOST_IN_BATCH},
    fetch::{CURRENT, Fetched, PREVIOUS, labelled},
    listing::{Found, Selection, list},
    survey::{Surveyed, survey},
};
use crate::{Clock, CredentialStore, Listed, SourceError, StoredCredential, Version};

/// How long a listing is kept in which nothing can be used, at most; and one that is
/// past its time to live, because the next one failed.
const UNUSABLE_FOR: Duration = Duration::from_secs(10);

/// `None` if there is none.
type Outcome = Result<Option<Arc<StoredCredential>>, SourceError>;

/// Credentials in Secrets Manager: one secret each, of the form that [the
/// crate's documentation](crate) shows.
///
/// What was read is kept for a time to live. A listing costs one `ListSecrets`
/// for each hundred secrets, and one `BatchGetSecretValue` for each twenty of
/// which the current version is not known yet; reading one costs one
/// `GetSecretValue`. Callers who want the same at the same time share a request,
/// and its failure. Those who read later read anew what failed, what was not there
/// and what was no credential; a listing is shown until the next as it was, but for
/// ten seconds only if nothing in it can be used: somebody is about to store the
/// first credential. When a listing fails, as when Secrets Manager throttles it, the
/// one before is shown, and the next is tried ten seconds later.
pub struct SecretsManager {
    client: Client,
    selection: Selection,
    time_to_live: Duration,
    clock: Box<Clock>,
    state: Mutex<State>,
    /// One at a time lists.
    listing: AsyncMutex<Failure>,
    /// Moves on with each beginning and each end of a reading.
    moment: AtomicU64,
}

#[derive(Default)]
struct State {
    listed: Option<(Duration, Span, Vec<String>)>,
    kept: HashMap<String, Kept>,
    /// One at a time reads each secret.
    readers: HashMap<String, Arc<AsyncMutex<Failure>>>,
}

impl State {
    /// What is kept of these.
    fn list(&self, names: &[String]) -> Vec<Listed> {
        let entry = |name: &String| {
            let credential = self.kept.get(name)?.outcome.clone().transpose()?;
            Some(Listed { name: name.clone(), credential })
        };
        names.iter().filter_map(entry).collect()
    }
}

struct Kept {
    at: Duration,
    /// The version that it is; `None` if it is none, or if the one before stands
    /// in for it.
    version: Option<String>,
    span: Span,
    outcome: Outcome,
}

/// The last reading that failed.
type Failure = Option<(Span, SourceError)>;

/// The moments at which a reading began and ended.
#[derive(Clone, Copy)]
struct Span {
    began: u64,
    ended: u64,
}

/// The moment at which somebody asked, and whether only what is read after it
/// will do.
#[derive(Clone, Copy)]
struct Question {
    asked: u64,
    fresh: bool,
}

impl Question {
    fn is_answered_by(self, span: Span) -> bool {
        if self.fresh { span.began > self.asked } else { span.ended > self.asked }
    }

    /// The failure that this one shares, of whom it has waited for.
    fn shares(self, failure: &Failure) -> Option<SourceError> {
        let (_, error) = failure.as_ref().filter(|(span, _)| self.is_answered_by(*span))?;
        Some(error.clone())
    }
}

impl SecretsManager {
    /// The credentials that `selection` finds. `clock` tells the time since any
    /// fixed moment.
    pub fn new(
        client: Client,
        selection: Selection,
        time_to_live: Duration,
        clock: impl Fn() -> Duration + Send + Sync + 'static,
    ) -> Self {
        Self {
            client,
            selection,
            time_to_live,
            clock: Box::new(clock),
            state: Mutex::default(),
            listing: AsyncMutex::default(),
            moment: AtomicU64::new(0),
        }
    }

    /// Reads all credentials with what a watch over them looks at: nothing of
    /// it is kept, and nothing that was kept is used. That costs one
    /// `ListSecrets` for each hundred secrets (for a single one `DescribeSecret`),
    /// one `BatchGetSecretValue` for each twenty, and in each that has staged
    /// credentials one `GetSecretValue` for each of them and for the version
    /// before.
    ///
    /// # Errors
    /// When the secrets cannot be listed or read. One that is not as expected is
    /// in the survey, with what is wrong with it.
    pub async fn survey(&self, now: Timestamp) -> Result<Vec<Surveyed>, SourceError> {
        survey(&self.client, &self.selection, now).await
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_young(&self, at: Duration) -> bool {
        self.is_younger(at, self.time_to_live)
    }

    fn is_younger(&self, at: Duration, age: Duration) -> bool {
        (self.clock)().saturating_sub(at) < age
    }

    /// The next moment.
    fn tick(&self) -> u64 {
        self.moment.fetch_add(1, Ordering::AcqRel) + 1
    }

    fn since(&self, began: u64) -> Span {
        Span { began, ended: self.tick() }
    }

    fn question(&self, fresh: bool) -> Question {
        Question { asked: self.moment.load(Ordering::Acquire), fresh }
    }

    /// Keeps what a reading that began then has found, unless it was overtaken by
    /// one that began later.
    fn keep(&self, name: &str, began: u64, version: Option<String>, outcome: Outcome) {
        let kept = Kept { at: (self.clock)(), version, span: self.since(began), outcome };
        let mut state = self.state();
        if state.kept.get(name).is_none_or(|before| before.span.began < began) {
            state.kept.insert(name.to_owned(), kept);
        }
    }

    fn listed(&self, question: Question) -> Option<Vec<Listed>> {
        let state = self.state();
        let (at, span, names) = state.listed.as_ref()?;
        let listed = state.list(names);
        let usable = listed.iter().any(|one| one.credential.is_ok());
        let kept_for = if usable { self.time_to_live } else { self.time_to_live.min(UNUSABLE_FOR) };
        (self.is_younger(*at, kept_for) || question.is_answered_by(*span)).then_some(listed)
    }

    async fn list_all(&self, question: Question) -> Result<Vec<Listed>, SourceError> {
        if let Selection::One(id) = &self.selection {
            let credential = match self.current(id, question).await {
                Ok(found) => found.ok_or_else(|| absent(id)),
                Err(error) => Err(error),
            };
            return Ok(vec![Listed { name: id.clone(), credential }]);
        }
        if let Some(listed) = self.listed(question) {
            return Ok(listed);
        }
        let mut failure = self.listing.lock().await;
        if let Some(listed) = self.listed(question) {
            return Ok(listed);
        }
        if let Some(error) = question.shares(&failure) {
            return Err(error);
        }
        let began = self.tick();
        match self.list_anew(began).await {
            Ok(listed) => Ok(listed),
            Err(error) => self.list_before(began, &error).ok_or_else(|| {
                *failure = Some((self.since(began), error.clone()));
                error
            }),
        }
    }

    /// The listing before one that failed, if anything in it can be used.
    fn list_before(&self, began: u64, error: &SourceError) -> Option<Vec<Listed>> {
        let span = self.since(began);
        let mut state = self.state();
        let (_, _, names) = state.listed.as_ref()?;
        let listed = state.list(names);
        if !listed.iter().any(|one| one.credential.is_ok()) {
            return None;
        }
        tracing::warn!(
            event = "secrets_listing_failed",
            %error,
            "listing secrets failed; using the listing before"
        );
        // As if it were listed so long ago that its time is up in ten seconds.
        let age = self.time_to_live.saturating_sub(UNUSABLE_FOR);
        let (at, of, _) = state.listed.as_mut()?;
        (*at, *of) = ((self.clock)().saturating_sub(age), span);
        Some(listed)
    }

    async fn list_anew(&self, began: u64) -> Result<Vec<Listed>, SourceError> {
        let found = list(&self.client, &self.selection).await?;
        let unknown: Vec<_> = found.iter().filter(|found| !self.knows(found)).collect();
        for batch in unknown.chunks(MOST_IN_BATCH) {
            self.read_batch(batch).await?;
        }
        let mut state = self.state();
        let now = (self.clock)();
        // A version never changes: one that is still current was as good as read.
        for found in &found {
            if let Some(kept) = state.kept.get_mut(&found.name) {
                kept.at = now;
            }
        }
        let names: Vec<_> = found.into_iter().map(|found| found.name).collect();
        // They are in order.
        state.kept.retain(|name, _| names.binary_search(name).is_ok());
        let listed = state.list(&names);
        state.listed = Some((now, self.since(began), names));
        Ok(listed)
    }

    fn knows(&self, found: &Found) -> bool {
        let state = self.state();
        let version = state.kept.get(&found.name).and_then(|kept| kept.version.as_deref());
        version.is_some() && version == found.labels.holder(CURRENT)
    }

    async fn read_batch(&self, batch: &[&Found]) -> Result<(), SourceError> {
        let began = self.tick();
        let read = batch::read(&self.client, &self.selection.describe(), batch).await?;
        for (Found { name, .. }, current) in batch.iter().zip(read) {
            let (version, outcome) = match current {
                Ok(Current { version, value, .. }) => self.or_previous(name, version, value).await,
                Err(error) => (None, Err(error)),
            };
            self.keep(name, began, version, outcome);
        }
        Ok(())
    }

    /// The credential, or the one before it if what is current is none: a mistake
    /// in storing it must not stop what is at work.
    async fn or_previous(
        &self,
        name: &str,
        version: String,
        value: Result<SecretString, SourceError>,
    ) -> (Option<String>, Outcome) {
        let error = match parse(name, value) {
            Ok(stored) => return (Some(version), Ok(Some(stored))),
            Err(error) => error,
        };
        let previous = labelled(&self.client, name, PREVIOUS).await.ok().flatten();
        match previous.and_then(|previous| parse(name, previous.value).ok()) {
            Some(previous) => {
                tracing::error!(%error, "the version before it is used; store it anew");
                (None, Ok(Some(previous)))
            }
            None => (None, Err(error)),
        }
    }

    /// The current version: one that is kept and young, unless it must be fresh;
    /// else the answer of a reading that others share.
    async fn current(&self, name: &str, question: Question) -> Outcome {
        let good = || {
            let state = self.state();
            let kept = state.kept.get(name)?;
            let young = !question.fresh && kept.version.is_some() && self.is_young(kept.at);
            (young || question.is_answered_by(kept.span)).then(|| kept.outcome.clone())
        };
        if let Some(outcome) = good() {
            return outcome;
        }
        let reader = Arc::clone(self.state().readers.entry(name.to_owned()).or_default());
        let mut failure = reader.lock().await;
        if let Some(outcome) = good() {
            return outcome;
        }
        if let Some(error) = question.shares(&failure) {
            return Err(error);
        }
        let began = self.tick();
        let (version, outcome) = match labelled(&self.client, name, CURRENT).await {
            Ok(Some(Fetched { value, version })) => self.or_previous(name, version, value).await,
            Ok(None) => (None, Ok(None)),
            // What was kept is none the worse for it.
            Err(error) => {
                *failure = Some((self.since(began), error.clone()));
                return Err(error);
            }
        };
        self.keep(name, began, version, outcome.clone());
        outcome
    }
}

fn parse(name: &str, value: Result<SecretString, SourceError>) -> Result<Arc<StoredCredential>, SourceError> {
    let parsed = StoredCredential::from_json(&value?);
    parsed.map(Arc::new).map_err(|problem| SourceError::new(name, problem))
}

fn absent(id: &str) -> SourceError {
    SourceError::new(id, "there is no such secret in this account and region, or it has no current version")
}

impl CredentialStore for SecretsManager {
    fn list(&self) -> BoxFuture<'_, Result<Vec<Listed>, SourceError>> {
        Box::pin(self.list_all(self.question(false)))
    }

    fn read<'a>(&'a self, name: &'a str, version: Version) -> BoxFuture<'a, Outcome> {
        let question = self.question(version == Version::Fresh);
        Box::pin(async move {
            match version {
                Version::Cached | Version::Fresh => self.current(name, question).await,
                Version::Previous => {
                    let found = labelled(&self.client, name, PREVIOUS).await?;
                    found.map(|found| parse(name, found.value)).transpose()
                }
            }
        })
    }
}

impl fmt::Debug for SecretsManager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SecretsManager").field(&self.selection.describe()).finish()
    }
}
