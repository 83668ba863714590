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
use sophos_api::BoxFuture;

use super::{
    batch::{self, Current, MOST_IN_BATCH},
    fetch::{CURRENT, Fetched, PREVIOUS, labelled},
    listing::{Found, Selection, list},
    survey::{Surveyed, survey},
};
use crate::{Clock, CredentialStore, Listed, SourceError, StoredCredential, Version};

type Outcome = Result<Arc<StoredCredential>, SourceError>;

/// Credentials in Secrets Manager: one secret each, of the form that [the
/// crate's documentation](crate) shows.
///
/// What was read is kept for a time to live. A listing costs one `ListSecrets`
/// for each hundred secrets, and one `BatchGetSecretValue` for each twenty of
/// which the current version is not known yet; reading one costs one
/// `GetSecretValue`. Callers who want the same at the same time share a request.
pub struct SecretsManager {
    client: Client,
    selection: Selection,
    time_to_live: Duration,
    clock: Box<Clock>,
    state: Mutex<State>,
    listing: AsyncMutex<()>,
    /// Requests for single secrets, in the order in which they began.
    begun: AtomicU64,
}

#[derive(Default)]
struct State {
    listed: Option<(Duration, Vec<String>)>,
    kept: HashMap<String, Kept>,
    /// One at a time reads each secret.
    readers: HashMap<String, Arc<AsyncMutex<()>>>,
}

impl State {
    /// What is kept of these.
    fn list(&self, names: &[String]) -> Vec<Listed> {
        let entry = |name: &String| {
            self.kept.get(name).map(|kept| Listed { name: name.clone(), credential: kept.outcome.clone() })
        };
        names.iter().filter_map(entry).collect()
    }
}

struct Kept {
    at: Duration,
    version: String,
    /// The request that read it; 0 if that was a listing.
    request: u64,
    outcome: Outcome,
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
            listing: AsyncMutex::new(()),
            begun: AtomicU64::new(0),
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
        (self.clock)().saturating_sub(at) < self.time_to_live
    }

    fn keep(
        &self,
        name: &str,
        version: String,
        request: u64,
        outcome: Result<StoredCredential, SourceError>,
    ) {
        let kept = Kept { at: (self.clock)(), version, request, outcome: outcome.map(Arc::new) };
        self.state().kept.insert(name.to_owned(), kept);
    }

    fn listed(&self) -> Option<Vec<Listed>> {
        let state = self.state();
        let (at, names) = state.listed.as_ref()?;
        self.is_young(*at).then(|| state.list(names))
    }

    async fn list_all(&self) -> Result<Vec<Listed>, SourceError> {
        if let Selection::One(id) = &self.selection {
            let credential = match self.current(id, 0, false).await {
                Ok(found) => found.ok_or_else(|| absent(id)),
                Err(error) => Err(error),
            };
            return Ok(vec![Listed { name: id.clone(), credential }]);
        }
        if let Some(listed) = self.listed() {
            return Ok(listed);
        }
        let _one_at_a_time = self.listing.lock().await;
        if let Some(listed) = self.listed() {
            return Ok(listed);
        }
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
        state.listed = Some((now, names));
        Ok(listed)
    }

    fn knows(&self, found: &Found) -> bool {
        let state = self.state();
        let kept = state.kept.get(&found.name).filter(|kept| kept.outcome.is_ok());
        kept.is_some_and(|kept| found.labels.holder(CURRENT) == Some(&kept.version))
    }

    async fn read_batch(&self, batch: &[&Found]) -> Result<(), SourceError> {
        let read = batch::read(&self.client, &self.selection.describe(), batch).await?;
        for (Found { name, .. }, current) in batch.iter().zip(read) {
            match current {
                Ok(Current { version, value, .. }) => {
                    let parsed = value.and_then(|value| parse(name, &value));
                    self.keep(name, version, 0, self.or_previous(name, parsed).await);
                }
                Err(error) => self.keep(name, String::new(), 0, Err(error)),
            }
        }
        Ok(())
    }

    /// The credential, or the one before it if what is current is none: a mistake
    /// in storing it must not stop what is at work.
    async fn or_previous(
        &self,
        name: &str,
        current: Result<StoredCredential, SourceError>,
    ) -> Result<StoredCredential, SourceError> {
        let Err(error) = current else { return current };
        let previous = labelled(&self.client, name, PREVIOUS).await.ok().flatten();
        match previous.and_then(|previous| parse(name, &previous.value).ok()) {
            Some(previous) => {
                tracing::error!(%error, "the version before it is used; store it anew");
                Ok(previous)
            }
            None => Err(error),
        }
    }

    /// The current version: one that is kept and young, unless it must be
    /// `fresh`; then one of which the reading began after request `asked`.
    async fn current(
        &self,
        name: &str,
        asked: u64,
        fresh: bool,
    ) -> Result<Option<Arc<StoredCredential>>, SourceError> {
        let good = || {
            let state = self.state();
            let kept = state.kept.get(name)?;
            let good = if fresh { kept.request > asked } else { self.is_young(kept.at) };
            good.then(|| kept.outcome.clone())
        };
        if let Some(outcome) = good() {
            return outcome.map(Some);
        }
        let reader = Arc::clone(self.state().readers.entry(name.to_owned()).or_default());
        let _one_at_a_time = reader.lock().await;
        if let Some(outcome) = good() {
            return outcome.map(Some);
        }
        let request = self.begun.fetch_add(1, Ordering::AcqRel) + 1;
        let Some(Fetched { value, version }) = labelled(&self.client, name, CURRENT).await? else {
            self.state().kept.remove(name);
            return Ok(None);
        };
        let outcome = self.or_previous(name, parse(name, &value)).await;
        self.keep(name, version, request, outcome.clone());
        outcome.map(|stored| Some(Arc::new(stored)))
    }
}

fn parse(name: &str, value: &secrecy::SecretString) -> Result<StoredCredential, SourceError> {
    StoredCredential::from_json(value).map_err(|problem| SourceError::new(name, problem))
}

fn absent(id: &str) -> SourceError {
    SourceError::new(id, "there is no such secret in this account and region, or it has no current version")
}

impl CredentialStore for SecretsManager {
    fn list(&self) -> BoxFuture<'_, Result<Vec<Listed>, SourceError>> {
        Box::pin(self.list_all())
    }

    fn read<'a>(
        &'a self,
        name: &'a str,
        version: Version,
    ) -> BoxFuture<'a, Result<Option<Arc<StoredCredential>>, SourceError>> {
        let asked = self.begun.load(Ordering::Acquire);
        Box::pin(async move {
            match version {
                Version::Cached => self.current(name, asked, false).await,
                Version::Fresh => self.current(name, asked, true).await,
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
