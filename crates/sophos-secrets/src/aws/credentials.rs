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

/// The maximum time for which a listing without a usable credential is cached. Also the
/// time for which the previous listing is used after a failed one.
const UNUSABLE_LISTING_TTL: Duration = Duration::from_secs(10);

/// `None` if the version does not exist.
type LoadResult = Result<Option<Arc<StoredCredential>>, SecretError>;

/// Credentials in Secrets Manager: one secret each, of the form in [the crate's
/// documentation](crate).
///
/// Values are cached for a time to live. A listing takes one `ListSecrets` for each
/// hundred secrets, and one `BatchGetSecretValue` for each twenty new current versions.
/// Loading a credential takes one `GetSecretValue`. Concurrent callers share a request
/// and its failure. Failures, missing versions and invalid credentials are not cached for
/// later loads.
///
/// A listing is cached as a whole, but for ten seconds only if it has no usable
/// credential, since the first one may be stored soon. After a failed listing, such as a
/// throttled one, the previous listing is used, and the next attempt follows after ten
/// seconds.
pub struct SecretsManagerCredentials {
    client: Client,
    selector: SecretSelector,
    time_to_live: Duration,
    clock: Box<Clock>,
    state: Mutex<CacheState>,
    /// Serializes listings.
    listing_lock: AsyncMutex<LastFailure>,
    /// A logical clock, which advances with the start and the end of each read.
    ticks: AtomicU64,
}

#[derive(Default)]
struct CacheState {
    listing: Option<(Duration, ReadInterval, Vec<String>)>,
    entries: HashMap<String, CacheEntry>,
    /// Serializes the loads of each secret.
    load_locks: HashMap<String, Arc<AsyncMutex<LastFailure>>>,
}

impl CacheState {
    /// The cached credentials of these names.
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
    /// The version's id; `None` if the version is missing, or if the previous one is used
    /// in its place.
    version: Option<String>,
    span: ReadInterval,
    result: LoadResult,
}

/// The last failed read.
type LastFailure = Option<(ReadInterval, SecretError)>;

/// The logical times at which a read started and ended.
#[derive(Clone, Copy)]
struct ReadInterval {
    started: u64,
    ended: u64,
}

/// The logical time of a request, and whether it needs a read that started later.
#[derive(Clone, Copy)]
struct ReadRequest {
    requested: u64,
    fresh: bool,
}

impl ReadRequest {
    fn is_satisfied_by(self, span: ReadInterval) -> bool {
        if self.fresh { span.started > self.requested } else { span.ended > self.requested }
    }

    /// The failure of the read that this request waited for.
    fn shared_failure(self, failure: &LastFailure) -> Option<SecretError> {
        let (_, error) = failure.as_ref().filter(|(span, _)| self.is_satisfied_by(*span))?;
        Some(error.clone())
    }
}

impl SecretsManagerCredentials {
    /// Creates a store of the secrets of `selector`. `clock` returns the time since any
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

    /// Reads all credentials with their metadata for an audit, without the cache. That
    /// takes one `ListSecrets` for each hundred secrets (`DescribeSecret` for a single
    /// one) and one `BatchGetSecretValue` for each twenty. Secrets with staged credentials
    /// take one `GetSecretValue` for each of these and for the previous version.
    ///
    /// # Errors
    /// When the secrets cannot be listed or read. An invalid credential is in the result
    /// with its error.
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

    /// Advances the logical clock.
    fn next_tick(&self) -> u64 {
        self.ticks.fetch_add(1, Ordering::AcqRel) + 1
    }

    fn interval_since(&self, started: u64) -> ReadInterval {
        ReadInterval { started, ended: self.next_tick() }
    }

    fn read_request(&self, fresh: bool) -> ReadRequest {
        ReadRequest { requested: self.ticks.load(Ordering::Acquire), fresh }
    }

    /// Caches the result of a read, unless a read that started later has finished.
    fn cache_result(&self, name: &str, started: u64, version: Option<String>, result: LoadResult) {
        let entry =
            CacheEntry { cached_at: (self.clock)(), version, span: self.interval_since(started), result };
        let mut state = self.state();
        if state.entries.get(name).is_none_or(|cached| cached.span.started < started) {
            state.entries.insert(name.to_owned(), entry);
        }
    }

    fn cached_listing(&self, request: ReadRequest) -> Option<Vec<ListedCredential>> {
        let state = self.state();
        let (at, span, names) = state.listing.as_ref()?;
        let listed = state.list_entries(names);
        let is_usable = listed.iter().any(|entry| entry.credential.is_ok());
        let max_age = if is_usable { self.time_to_live } else { self.time_to_live.min(UNUSABLE_LISTING_TTL) };
        (self.is_younger_than(*at, max_age) || request.is_satisfied_by(*span)).then_some(listed)
    }

    async fn list_credentials(&self, request: ReadRequest) -> Result<Vec<ListedCredential>, SecretError> {
        if let SecretSelector::Id(id) = &self.selector {
            let credential = match self.load_current(id, request).await {
                Ok(found) => found.ok_or_else(|| secret_not_found(id)),
                Err(error) => Err(error),
            };
            return Ok(vec![ListedCredential { name: id.clone(), credential }]);
        }
        if let Some(listed) = self.cached_listing(request) {
            return Ok(listed);
        }
        let mut failure = self.listing_lock.lock().await;
        if let Some(listed) = self.cached_listing(request) {
            return Ok(listed);
        }
        if let Some(error) = request.shared_failure(&failure) {
            return Err(error);
        }
        let started = self.next_tick();
        match self.fetch_listing(started).await {
            Ok(listed) => Ok(listed),
            Err(error) => self.previous_listing(started, &error).ok_or_else(|| {
                *failure = Some((self.interval_since(started), error.clone()));
                error
            }),
        }
    }

    /// The listing before a failed one; `None` if it has no usable credential.
    fn previous_listing(&self, started: u64, error: &SecretError) -> Option<Vec<ListedCredential>> {
        let span = self.interval_since(started);
        let mut state = self.state();
        let (_, _, names) = state.listing.as_ref()?;
        let listed = state.list_entries(names);
        if !listed.iter().any(|entry| entry.credential.is_ok()) {
            return None;
        }
        tracing::warn!(
            event = "secrets_listing_failed",
            %error,
            "listing secrets failed; using the previous listing"
        );
        // Backdated, so that it expires in ten seconds.
        let age = self.time_to_live.saturating_sub(UNUSABLE_LISTING_TTL);
        let (at, of, _) = state.listing.as_mut()?;
        (*at, *of) = ((self.clock)().saturating_sub(age), span);
        Some(listed)
    }

    async fn fetch_listing(&self, started: u64) -> Result<Vec<ListedCredential>, SecretError> {
        let found = list_secrets(&self.client, &self.selector).await?;
        let unknown: Vec<_> = found.iter().filter(|found| !self.is_up_to_date(found)).collect();
        for batch in unknown.chunks(MAX_BATCH_SIZE) {
            self.fetch_batch(batch).await?;
        }
        let mut state = self.state();
        let now = (self.clock)();
        // A version never changes: one that is still current is up to date.
        for found in &found {
            if let Some(entry) = state.entries.get_mut(&found.name) {
                entry.cached_at = now;
            }
        }
        let names: Vec<_> = found.into_iter().map(|found| found.name).collect();
        // The names are sorted.
        state.entries.retain(|name, _| names.binary_search(name).is_ok());
        let listed = state.list_entries(&names);
        state.listing = Some((now, self.interval_since(started), names));
        Ok(listed)
    }

    fn is_up_to_date(&self, found: &SecretEntry) -> bool {
        let state = self.state();
        let version = state.entries.get(&found.name).and_then(|entry| entry.version.as_deref());
        version.is_some() && version == found.labels.version_with(AWSCURRENT)
    }

    async fn fetch_batch(&self, batch: &[&SecretEntry]) -> Result<(), SecretError> {
        let started = self.next_tick();
        let read = batch::fetch_batch(&self.client, &self.selector.describe(), batch).await?;
        for (SecretEntry { name, .. }, current) in batch.iter().zip(read) {
            let (version, outcome) = match current {
                Ok(CurrentVersion { version, value, .. }) => {
                    self.parse_or_previous(name, version, value).await
                }
                Err(error) => (None, Err(error)),
            };
            self.cache_result(name, started, version, outcome);
        }
        Ok(())
    }

    /// Parses the current version. If that is invalid, loads the previous one: a bad paste
    /// must not stop the functions.
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
                tracing::error!(event = "previous_version_used", secret_name = name, %error, "the current version is invalid; using the previous version");
                (None, Ok(Some(previous)))
            }
            None => (None, Err(error)),
        }
    }

    /// Loads the current version, from the cache unless the request needs a fresh one.
    /// Concurrent callers share a read.
    async fn load_current(&self, name: &str, request: ReadRequest) -> LoadResult {
        let cached = || {
            let state = self.state();
            let entry = state.entries.get(name)?;
            let is_valid = !request.fresh && entry.version.is_some() && self.is_within_ttl(entry.cached_at);
            (is_valid || request.is_satisfied_by(entry.span)).then(|| entry.result.clone())
        };
        if let Some(outcome) = cached() {
            return outcome;
        }
        let load_lock = Arc::clone(self.state().load_locks.entry(name.to_owned()).or_default());
        let mut failure = load_lock.lock().await;
        if let Some(outcome) = cached() {
            return outcome;
        }
        if let Some(error) = request.shared_failure(&failure) {
            return Err(error);
        }
        let started = self.next_tick();
        let (version, outcome) = match fetch_version(&self.client, name, AWSCURRENT).await {
            Ok(Some(FetchedVersion { value, version })) => self.parse_or_previous(name, version, value).await,
            Ok(None) => (None, Ok(None)),
            // The cached version stays valid.
            Err(error) => {
                *failure = Some((self.interval_since(started), error.clone()));
                return Err(error);
            }
        };
        self.cache_result(name, started, version, outcome.clone());
        outcome
    }
}

fn parse_credential(
    name: &str,
    value: Result<SecretString, SecretError>,
) -> Result<Arc<StoredCredential>, SecretError> {
    let parsed = StoredCredential::from_json(&value?);
    parsed.map(Arc::new).map_err(|error| SecretError::new(name, error.to_string()))
}

fn secret_not_found(id: &str) -> SecretError {
    SecretError::new(
        id,
        "the secret does not exist in this account and region, or has no current version; create it",
    )
}

impl CredentialStore for SecretsManagerCredentials {
    fn list(&self) -> BoxFuture<'_, Result<Vec<ListedCredential>, SecretError>> {
        Box::pin(self.list_credentials(self.read_request(false)))
    }

    fn load<'a>(&'a self, name: &'a str, version: RequestedVersion) -> BoxFuture<'a, LoadResult> {
        let request = self.read_request(version == RequestedVersion::Fresh);
        Box::pin(async move {
            match version {
                RequestedVersion::Cached | RequestedVersion::Fresh => self.load_current(name, request).await,
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
