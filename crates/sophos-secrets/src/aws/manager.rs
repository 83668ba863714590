use std::{
    collections::{HashMap, HashSet},
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_lock::Mutex as AsyncMutex;
use aws_sdk_secretsmanager::Client;
use sophos_api::BoxFuture;

use super::{
    fetch::{CURRENT, Fetched, PREVIOUS, explain, failed, labelled, text},
    listing::{Found, Selection, list},
};
use crate::{CredentialStore, Listed, SourceError, StoredCredential, Version};

/// Secrets in one batch at most.
const MOST_IN_BATCH: usize = 20;

type Clock = dyn Fn() -> Duration + Send + Sync;
type Outcome = Result<Arc<StoredCredential>, SourceError>;

/// Credentials in Secrets Manager: one secret each, of the form that [the
/// crate's documentation](crate) shows.
///
/// What was read is kept for a time to live. A listing costs one `ListSecrets`
/// for each hundred secrets, and one `BatchGetSecretValue` for each twenty of
/// which the current version is not known yet; reading one costs one
/// `GetSecretValue`. Callers who want the same at the same time share a request,
/// and its failure. No failure is kept for those who read later, but a listing
/// shows until the next what was wrong with a secret.
pub struct SecretsManager {
    client: Client,
    selection: Selection,
    time_to_live: Duration,
    clock: Box<Clock>,
    state: Mutex<State>,
    /// One at a time lists. The last failure.
    listing: AsyncMutex<Option<(Span, SourceError)>>,
    /// Moves on with each beginning and each end of a request.
    moment: AtomicU64,
}

#[derive(Default)]
struct State {
    listed: Option<(Duration, Span, Vec<String>)>,
    kept: HashMap<String, Kept>,
    /// One at a time reads each secret.
    readers: HashMap<String, Arc<AsyncMutex<Option<Nothing>>>>,
}

/// What the last reading of a secret failed with, or that it found nothing.
type Nothing = (Span, Result<(), SourceError>);

struct Kept {
    at: Duration,
    version: String,
    /// The request that read it.
    span: Span,
    outcome: Outcome,
}

/// The moments at which a request began and ended.
#[derive(Clone, Copy)]
struct Span {
    began: u64,
    ended: u64,
}

/// What a caller wants to know, and the moment at which it asked.
#[derive(Clone, Copy)]
struct Question {
    asked: u64,
    fresh: bool,
}

impl Question {
    fn is_answered_by(self, span: Span) -> bool {
        if self.fresh { span.began > self.asked } else { span.ended > self.asked }
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

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_young(&self, at: Duration) -> bool {
        (self.clock)().saturating_sub(at) < self.time_to_live
    }

    /// The next moment.
    fn tick(&self) -> u64 {
        self.moment.fetch_add(1, Ordering::AcqRel) + 1
    }

    fn question(&self, fresh: bool) -> Question {
        Question { asked: self.moment.load(Ordering::Acquire), fresh }
    }

    fn keep(&self, name: &str, version: String, span: Span, outcome: Result<StoredCredential, SourceError>) {
        let kept = Kept { at: (self.clock)(), version, span, outcome: outcome.map(Arc::new) };
        let mut state = self.state();
        // An answer may be overtaken by that of a request that began later.
        if state.kept.get(name).is_none_or(|before| before.span.began < span.began) {
            state.kept.insert(name.to_owned(), kept);
        }
    }

    fn listed(&self, question: Question) -> Option<Vec<Listed>> {
        let state = self.state();
        let (at, span, names) = state.listed.as_ref()?;
        if !self.is_young(*at) && !question.is_answered_by(*span) {
            return None;
        }
        let entry = |name: &String| {
            state.kept.get(name).map(|kept| Listed { name: name.clone(), credential: kept.outcome.clone() })
        };
        Some(names.iter().filter_map(entry).collect())
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
        if let Some((_, error)) = failure.as_ref().filter(|(span, _)| question.is_answered_by(*span)) {
            return Err(error.clone());
        }
        let began = self.tick();
        if let Err(error) = self.list_anew(began).await {
            *failure = Some((Span { began, ended: self.tick() }, error.clone()));
            return Err(error);
        }
        Ok(self.listed(question).unwrap_or_default())
    }

    async fn list_anew(&self, began: u64) -> Result<(), SourceError> {
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
        let there: HashSet<_> = names.iter().collect();
        state.kept.retain(|name, _| there.contains(name));
        state.listed = Some((now, Span { began, ended: self.tick() }, names));
        Ok(())
    }

    fn knows(&self, found: &Found) -> bool {
        let state = self.state();
        let kept = state.kept.get(&found.name).filter(|kept| kept.outcome.is_ok());
        kept.is_some_and(|kept| found.version.as_deref() == Some(&kept.version))
    }

    async fn read_batch(&self, batch: &[&Found]) -> Result<(), SourceError> {
        let ids = batch.iter().map(|found| found.arn.clone()).collect();
        let began = self.tick();
        let answer = self.client.batch_get_secret_value().set_secret_id_list(Some(ids)).send().await;
        let span = Span { began, ended: self.tick() };
        let answer = answer.map_err(|error| failed(&self.selection.describe(), &error))?;
        let mut values: HashMap<_, _> = (answer.secret_values.unwrap_or_default().into_iter())
            .filter_map(|value| Some((value.arn.clone()?, value)))
            .collect();
        for found in batch {
            let Some(value) = values.remove(&found.arn) else {
                let told = answer.errors.iter().flatten();
                let told = told.filter(|error| error.secret_id() == Some(&found.arn));
                let reason =
                    told.filter_map(|error| Some(explain(error.error_code()?, error.message()))).next();
                let reason = reason.unwrap_or_else(|| "it has no current version; store one".to_owned());
                self.keep(&found.name, String::new(), span, Err(SourceError::new(&found.name, reason)));
                continue;
            };
            let version = value.version_id.unwrap_or_default();
            let value = text(&found.name, value.secret_string);
            self.keep(&found.name, version, span, value.and_then(|value| parse(&found.name, &value)));
        }
        Ok(())
    }

    /// The current version: one that is kept and young, unless it must be
    /// fresh; else the answer of a request that others share.
    async fn current(
        &self,
        name: &str,
        question: Question,
    ) -> Result<Option<Arc<StoredCredential>>, SourceError> {
        let good = || {
            let state = self.state();
            let kept = state.kept.get(name)?;
            let young = !question.fresh && kept.outcome.is_ok() && self.is_young(kept.at);
            (young || question.is_answered_by(kept.span)).then(|| kept.outcome.clone())
        };
        if let Some(outcome) = good() {
            return outcome.map(Some);
        }
        let reader = Arc::clone(self.state().readers.entry(name.to_owned()).or_default());
        let mut last = reader.lock().await;
        if let Some(outcome) = good() {
            return outcome.map(Some);
        }
        if let Some((_, nothing)) = last.as_ref().filter(|(span, _)| question.is_answered_by(*span)) {
            return nothing.clone().map(|()| None);
        }
        let began = self.tick();
        let read = labelled(&self.client, name, CURRENT).await;
        let span = Span { began, ended: self.tick() };
        match read {
            Ok(Some(Fetched { value, version })) => {
                let outcome = parse(name, &value);
                self.keep(name, version, span, outcome.clone());
                outcome.map(|stored| Some(Arc::new(stored)))
            }
            Ok(None) => {
                self.state().kept.remove(name);
                *last = Some((span, Ok(())));
                Ok(None)
            }
            Err(error) => {
                *last = Some((span, Err(error.clone())));
                Err(error)
            }
        }
    }
}

fn parse(name: &str, value: &secrecy::SecretString) -> Result<StoredCredential, SourceError> {
    StoredCredential::from_json(value).map_err(|problem| SourceError::malformed(name, problem))
}

fn absent(id: &str) -> SourceError {
    SourceError::new(id, "there is no such secret in this account and region, or it has no current version")
}

impl CredentialStore for SecretsManager {
    fn list(&self) -> BoxFuture<'_, Result<Vec<Listed>, SourceError>> {
        Box::pin(self.list_all(self.question(false)))
    }

    fn read<'a>(
        &'a self,
        name: &'a str,
        version: Version,
    ) -> BoxFuture<'a, Result<Option<Arc<StoredCredential>>, SourceError>> {
        let question = self.question(version == Version::Fresh);
        Box::pin(async move {
            match version {
                Version::Cached | Version::Fresh => self.current(name, question).await,
                Version::Previous => {
                    let found = labelled(&self.client, name, PREVIOUS).await?;
                    found.map(|found| parse(name, &found.value).map(Arc::new)).transpose()
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
