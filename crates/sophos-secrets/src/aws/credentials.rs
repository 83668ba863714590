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
    batch::{self, CurrentVersion, MAX_BATCH_SIZE},
    fetch::{AWSCURRENT, AWSPREVIOUS, FetchedVersion, fetch_version},
    inspection::{InspectedCredential, inspect},
    listing::{SecretEntry, SecretSelector, list_secrets},
};
use crate::{Clock, CredentialStore, ListedCredential, RequestedVersion, SecretError, StoredCredential};

/// How long a listing is kept in which nothing can be used, at most; and one that is
/// past its time to live, because the next one failed.
const UNUSABLE_LISTING_TTL: Duration = Duration::from_secs(10);

/// `None` if there is none.
type LoadResult = Result<Option<Arc<StoredCredential>>, SecretError>;

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
pub struct SecretsManagerCredentials {
    client: Client,
    selector: SecretSelector,
    time_to_live: Duration,
    clock: Box<Clock>,
    state: Mutex<CacheState>,
    /// One at a time lists.
    listing_lock: AsyncMutex<LastFailure>,
    /// Moves on with each beginning and each end of a reading.
    ticks: AtomicU64,
}

#[derive(Default)]
struct CacheState {
    listing: Option<(Duration, ReadInterval, Vec<String>)>,
    entries: HashMap<String, CacheEntry>,
    /// One at a time reads each secret.
    load_locks: HashMap<String, Arc<AsyncMutex<LastFailure>>>,
}

impl CacheState {
    /// What is kept of these.
    fn list_entries(&self, names: &[String]) -> Vec<ListedCredential> {
        let entry = |name: &String| {
            let credential = self.entries.get(name)?.result.clone().transpose()?;
            Some(ListedCredential { name: name.clone(), credential })
        };
        names.iter().filter_map(entry).collect()
    }
}

struct CacheEntry {
    cached_at: Duration,
    /// The version that it is; `None` if it is none, or if the one before stands
    /// in for it.
    version: Option<String>,
    span: ReadInterval,
    result: LoadResult,
}

/// The last reading that failed.
type LastFailure = Option<(ReadInterval, SecretError)>;

/// The moments at which a reading began and ended.
#[derive(Clone, Copy)]
struct ReadInterval {
    started: u64,
    ended: u64,
}

/// The moment at which somebody asked, and whether only what is read after it
/// will do.
#[derive(Clone, Copy)]
struct ReadRequest {
    requested: u64,
    fresh: bool,
}

impl ReadRequest {
    fn is_satisfied_by(self, span: ReadInterval) -> bool {
        if self.fresh { span.started > self.requested } else { span.ended > self.requested }
    }

    /// The failure that this one shares, of whom it has waited for.
    fn shared_failure(self, failure: &LastFailure) -> Option<SecretError> {
        let (_, error) = failure.as_ref().filter(|(span, _)| self.is_satisfied_by(*span))?;
        Some(error.clone())
    }
}

impl SecretsManagerCredentials {
    /// The credentials that `selector` finds. `clock` tells the time since any
    /// fixed moment.
    pub fn new(
        client: Client,
        selector: SecretSelector,
        time_to_live: Duration,
        clock: impl Fn() -> Duration + Send + Sync + 'static,
    ) -> Self {
        Self {
            client,
            selector,
            time_to_live,
            clock: Box::new(clock),
            state: Mutex::default(),
            listing_lock: AsyncMutex::default(),
            ticks: AtomicU64::new(0),
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
    pub async fn inspect(&self, now: Timestamp) -> Result<Vec<InspectedCredential>, SecretError> {
        inspect(&self.client, &self.selector, now).await
    }

    fn state(&self) -> MutexGuard<'_, CacheState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_within_ttl(&self, at: Duration) -> bool {
        self.is_younger_than(at, self.time_to_live)
    }

    fn is_younger_than(&self, at: Duration, age: Duration) -> bool {
        (self.clock)().saturating_sub(at) < age
    }

    /// The next moment.
    fn next_tick(&self) -> u64 {
        self.ticks.fetch_add(1, Ordering::AcqRel) + 1
    }

    fn interval_since(&self, began: u64) -> ReadInterval {
        ReadInterval { started: began, ended: self.next_tick() }
    }

    fn read_request(&self, fresh: bool) -> ReadRequest {
        ReadRequest { requested: self.ticks.load(Ordering::Acquire), fresh }
    }

    /// Keeps what a reading that began then has found, unless it was overtaken by
    /// one that began later.
    fn cache_result(&self, name: &str, began: u64, version: Option<String>, outcome: LoadResult) {
        let kept = CacheEntry {
            cached_at: (self.clock)(),
            version,
            span: self.interval_since(began),
            result: outcome,
        };
        let mut state = self.state();
        if state.entries.get(name).is_none_or(|before| before.span.started < began) {
            state.entries.insert(name.to_owned(), kept);
        }
    }

    fn cached_listing(&self, question: ReadRequest) -> Option<Vec<ListedCredential>> {
        let state = self.state();
        let (at, span, names) = state.listing.as_ref()?;
        let listed = state.list_entries(names);
        let usable = listed.iter().any(|one| one.credential.is_ok());
        let kept_for = if usable { self.time_to_live } else { self.time_to_live.min(UNUSABLE_LISTING_TTL) };
        (self.is_younger_than(*at, kept_for) || question.is_satisfied_by(*span)).then_some(listed)
    }

    async fn list_credentials(&self, question: ReadRequest) -> Result<Vec<ListedCredential>, SecretError> {
        if let SecretSelector::Id(id) = &self.selector {
            let credential = match self.load_current(id, question).await {
                Ok(found) => found.ok_or_else(|| secret_not_found(id)),
                Err(error) => Err(error),
            };
            return Ok(vec![ListedCredential { name: id.clone(), credential }]);
        }
        if let Some(listed) = self.cached_listing(question) {
            return Ok(listed);
        }
        let mut failure = self.listing_lock.lock().await;
        if let Some(listed) = self.cached_listing(question) {
            return Ok(listed);
        }
        if let Some(error) = question.shared_failure(&failure) {
            return Err(error);
        }
        let began = self.next_tick();
        match self.fetch_listing(began).await {
            Ok(listed) => Ok(listed),
            Err(error) => self.previous_listing(began, &error).ok_or_else(|| {
                *failure = Some((self.interval_since(began), error.clone()));
                error
            }),
        }
    }

    /// The listing before one that failed, if anything in it can be used.
    fn previous_listing(&self, began: u64, error: &SecretError) -> Option<Vec<ListedCredential>> {
        let span = self.interval_since(began);
        let mut state = self.state();
        let (_, _, names) = state.listing.as_ref()?;
        let listed = state.list_entries(names);
        if !listed.iter().any(|one| one.credential.is_ok()) {
            return None;
        }
        tracing::warn!(
            event = "secrets_listing_failed",
            %error,
            "listing secrets failed; using the listing before"
        );
        // As if it were listed so long ago that its time is up in ten seconds.
        let age = self.time_to_live.saturating_sub(UNUSABLE_LISTING_TTL);
        let (at, of, _) = state.listing.as_mut()?;
        (*at, *of) = ((self.clock)().saturating_sub(age), span);
        Some(listed)
    }

    async fn fetch_listing(&self, began: u64) -> Result<Vec<ListedCredential>, SecretError> {
        let found = list_secrets(&self.client, &self.selector).await?;
        let unknown: Vec<_> = found.iter().filter(|found| !self.is_up_to_date(found)).collect();
        for batch in unknown.chunks(MAX_BATCH_SIZE) {
            self.fetch_batch(batch).await?;
        }
        let mut state = self.state();
        let now = (self.clock)();
        // A version never changes: one that is still current was as good as read.
        for found in &found {
            if let Some(kept) = state.entries.get_mut(&found.name) {
                kept.cached_at = now;
            }
        }
        let names: Vec<_> = found.into_iter().map(|found| found.name).collect();
        // They are in order.
        state.entries.retain(|name, _| names.binary_search(name).is_ok());
        let listed = state.list_entries(&names);
        state.listing = Some((now, self.interval_since(began), names));
        Ok(listed)
    }

    fn is_up_to_date(&self, found: &SecretEntry) -> bool {
        let state = self.state();
        let version = state.entries.get(&found.name).and_then(|kept| kept.version.as_deref());
        version.is_some() && version == found.labels.version_with(AWSCURRENT)
    }

    async fn fetch_batch(&self, batch: &[&SecretEntry]) -> Result<(), SecretError> {
        let began = self.next_tick();
        let read = batch::fetch_batch(&self.client, &self.selector.describe(), batch).await?;
        for (SecretEntry { name, .. }, current) in batch.iter().zip(read) {
            let (version, outcome) = match current {
                Ok(CurrentVersion { version, value, .. }) => {
                    self.parse_or_previous(name, version, value).await
                }
                Err(error) => (None, Err(error)),
            };
            self.cache_result(name, began, version, outcome);
        }
        Ok(())
    }

    /// The credential, or the one before it if what is current is none: a mistake
    /// in storing it must not stop what is at work.
    async fn parse_or_previous(
        &self,
        name: &str,
        version: String,
        value: Result<SecretString, SecretError>,
    ) -> (Option<String>, LoadResult) {
        let error = match parse_credential(name, value) {
            Ok(stored) => return (Some(version), Ok(Some(stored))),
            Err(error) => error,
        };
        let previous = fetch_version(&self.client, name, AWSPREVIOUS).await.ok().flatten();
        match previous.and_then(|previous| parse_credential(name, previous.value).ok()) {
            Some(previous) => {
                tracing::error!(event = "previous_version_used", %error, "the current version is invalid; using the previous version");
                (None, Ok(Some(previous)))
            }
            None => (None, Err(error)),
        }
    }

    /// The current version: one that is kept and young, unless it must be fresh;
    /// else the answer of a reading that others share.
    async fn load_current(&self, name: &str, question: ReadRequest) -> LoadResult {
        let good = || {
            let state = self.state();
            let kept = state.entries.get(name)?;
            let young = !question.fresh && kept.version.is_some() && self.is_within_ttl(kept.cached_at);
            (young || question.is_satisfied_by(kept.span)).then(|| kept.result.clone())
        };
        if let Some(outcome) = good() {
            return outcome;
        }
        let reader = Arc::clone(self.state().load_locks.entry(name.to_owned()).or_default());
        let mut failure = reader.lock().await;
        if let Some(outcome) = good() {
            return outcome;
        }
        if let Some(error) = question.shared_failure(&failure) {
            return Err(error);
        }
        let began = self.next_tick();
        let (version, outcome) = match fetch_version(&self.client, name, AWSCURRENT).await {
            Ok(Some(FetchedVersion { value, version })) => self.parse_or_previous(name, version, value).await,
            Ok(None) => (None, Ok(None)),
            // What was kept is none the worse for it.
            Err(error) => {
                *failure = Some((self.interval_since(began), error.clone()));
                return Err(error);
            }
        };
        self.cache_result(name, began, version, outcome.clone());
        outcome
    }
}

fn parse_credential(
    name: &str,
    value: Result<SecretString, SecretError>,
) -> Result<Arc<StoredCredential>, SecretError> {
    let parsed = StoredCredential::from_json(&value?);
    parsed.map(Arc::new).map_err(|problem| SecretError::new(name, problem))
}

fn secret_not_found(id: &str) -> SecretError {
    SecretError::new(id, "there is no such secret in this account and region, or it has no current version")
}

impl CredentialStore for SecretsManagerCredentials {
    fn list(&self) -> BoxFuture<'_, Result<Vec<ListedCredential>, SecretError>> {
        Box::pin(self.list_credentials(self.read_request(false)))
    }

    fn load<'a>(&'a self, name: &'a str, version: RequestedVersion) -> BoxFuture<'a, LoadResult> {
        let question = self.read_request(version == RequestedVersion::Fresh);
        Box::pin(async move {
            match version {
                RequestedVersion::Cached | RequestedVersion::Fresh => self.load_current(name, question).await,
                RequestedVersion::Previous => {
                    let found = fetch_version(&self.client, name, AWSPREVIOUS).await?;
                    found.map(|found| parse_credential(name, found.value)).transpose()
                }
            }
        })
    }
}

impl fmt::Debug for SecretsManagerCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SecretsManagerCredentials").field(&self.selector.describe()).finish()
    }
}
