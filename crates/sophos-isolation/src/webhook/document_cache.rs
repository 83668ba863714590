//! The cache of published key sets and certificates.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_lock::Mutex as AsyncMutex;

use crate::backend_error::BackendError;

/// The age up to which a document is used without a new fetch.
const MAX_AGE: Duration = Duration::from_secs(60 * 60);

/// The age up to which a document is used while fetching it fails.
const MAX_STALE_AGE: Duration = Duration::from_secs(6 * 60 * 60);

/// The minimum interval between fetches of a cached document for requests that name
/// a key that is not in it.
const REFETCH_INTERVAL: Duration = Duration::from_secs(5 * 60);

/// The minimum interval between fetches after a failure, and between fetches of new
/// documents for one caller.
const RETRY_INTERVAL: Duration = Duration::from_secs(60);

/// The maximum number of new documents that are fetched for one source in
/// [`RETRY_INTERVAL`].
const MAX_FETCHES: usize = 10;

/// The largest document, in bytes.
const MAX_DOCUMENT_LEN: usize = 1 << 20;

/// The maximum number of documents in the cache.
const MAX_DOCUMENTS: usize = 256;

/// A request for a document.
#[derive(Debug, Clone, Copy)]
pub(super) struct DocumentRequest<'a> {
    /// The name of the source.
    pub(super) source: &'a str,
    pub(super) url: &'a str,
    /// The caller that named the document; `None` if the policy names it.
    pub(super) caller: Option<IpAddr>,
    pub(super) now: Duration,
}

/// The failure to get a document.
#[derive(Debug, Clone, thiserror::Error)]
pub(super) enum DocumentError {
    #[error("fetching {url} is rate limited: another document was just fetched")]
    RateLimited { url: String },
    #[error("fetching {url} failed: {cause}")]
    FetchFailed {
        url: String,
        #[source]
        cause: BackendError,
    },
    #[error("fetching {url} failed: the response has not the expected format")]
    UnexpectedFormat { url: String },
}

/// Documents by source and URL. Any caller can name a document before it is
/// authenticated. So in [`RETRY_INTERVAL`] one new document is fetched for a caller,
/// and [`MAX_FETCHES`] for a source: a caller cannot keep another from its
/// certificate.
#[derive(Debug, Default)]
pub(super) struct DocumentCache {
    state: Mutex<DocumentCacheState>,
    fetching: AsyncMutex<()>,
}

#[derive(Debug, Default)]
struct DocumentCacheState {
    documents: HashMap<(String, String), CachedDocument>,
    /// The fetches for each source in the last [`REFETCH_INTERVAL`].
    attempts: HashMap<String, Vec<FetchAttempt>>,
}

#[derive(Debug, Clone)]
struct CachedDocument {
    content: Arc<[u8]>,
    fetched_at: Duration,
}

#[derive(Debug, Clone)]
struct FetchAttempt {
    url: String,
    caller: Option<IpAddr>,
    attempted_at: Duration,
    failure: Option<DocumentError>,
}

impl DocumentCacheState {
    /// Checks that a document may be fetched now.
    ///
    /// # Errors
    /// The last failure to fetch it, or the rate limit.
    fn may_fetch(&mut self, request: DocumentRequest<'_>, is_cached: bool) -> Result<(), DocumentError> {
        let DocumentRequest { source, url, caller, now } = request;
        let rate_limited = || DocumentError::RateLimited { url: url.to_owned() };
        let Some(attempts) = self.attempts.get_mut(source) else { return Ok(()) };
        attempts.retain(|attempt| attempt.attempted_at.abs_diff(now) < REFETCH_INTERVAL);
        let is_recent = |attempt: &FetchAttempt| attempt.attempted_at.abs_diff(now) < RETRY_INTERVAL;
        if let Some(last) = attempts.iter().rfind(|attempt| attempt.url == url)
            && (is_recent(last) || (is_cached && last.failure.is_none()))
        {
            return Err(last.failure.clone().unwrap_or_else(rate_limited));
        }
        let mut recent = attempts.iter().filter(|attempt| is_recent(attempt));
        let is_limited = !is_cached
            && (recent.clone().any(|attempt| attempt.caller == caller)
                || recent.nth(MAX_FETCHES - 1).is_some());
        if is_limited { Err(rate_limited()) } else { Ok(()) }
    }
}

/// Returns the address of a caller, or the IPv6 network of one host.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into(),
        address => address,
    }
}

impl DocumentCache {
    /// Returns a document. `is_sufficient` checks a cached document for this request,
    /// and `is_valid` checks a fetched one.
    ///
    /// # Errors
    /// When the document is not cached and cannot be fetched now.
    pub(super) async fn get_or_fetch<F: Future<Output = Result<Vec<u8>, BackendError>>>(
        &self,
        request: DocumentRequest<'_>,
        is_sufficient: impl Fn(&[u8]) -> bool,
        is_valid: impl Fn(&[u8]) -> bool,
        fetch: impl FnOnce() -> F,
    ) -> Result<Arc<[u8]>, DocumentError> {
        let request = DocumentRequest { caller: request.caller.map(network), ..request };
        let DocumentRequest { source, url, caller, now } = request;
        let key = (source.to_owned(), url.to_owned());
        let fresh = || {
            let state = self.lock_state();
            let known = state.documents.get(&key)?;
            let answers = known.fetched_at.abs_diff(now) < MAX_AGE && is_sufficient(&known.content);
            answers.then(|| Arc::clone(&known.content))
        };
        if let Some(content) = fresh() {
            return Ok(content);
        }
        let _one_at_a_time = self.fetching.lock().await;
        if let Some(content) = fresh() {
            return Ok(content);
        }
        let known = {
            let mut state = self.lock_state();
            let known = state.documents.get(&key).cloned();
            let known = known.filter(|known| known.fetched_at.abs_diff(now) < MAX_STALE_AGE);
            if let Err(reason) = state.may_fetch(request, known.is_some()) {
                return known.map(|known| known.content).ok_or(reason);
            }
            // Recorded before the fetch, which may be cancelled.
            let attempt = FetchAttempt { url: url.to_owned(), caller, attempted_at: now, failure: None };
            state.attempts.entry(source.to_owned()).or_default().push(attempt);
            known
        };
        let fetched = match fetch().await {
            Ok(content) if content.len() <= MAX_DOCUMENT_LEN && is_valid(&content) => Ok(content),
            Ok(_) => Err(DocumentError::UnexpectedFormat { url: url.to_owned() }),
            Err(cause) => Err(DocumentError::FetchFailed { url: url.to_owned(), cause }),
        };
        let mut state = self.lock_state();
        match fetched {
            Ok(content) => {
                let content: Arc<[u8]> = content.into();
                if state.documents.len() >= MAX_DOCUMENTS {
                    state.documents.clear();
                }
                state
                    .documents
                    .insert(key, CachedDocument { content: Arc::clone(&content), fetched_at: now });
                Ok(content)
            }
            Err(failure) => {
                let mut attempts = state.attempts.get_mut(source).into_iter().flatten();
                if let Some(last) = attempts.rfind(|attempt| attempt.url == url) {
                    last.failure = Some(failure.clone());
                }
                known.map(|known| known.content).ok_or(failure)
            }
        }
    }

    fn lock_state(&self) -> MutexGuard<'_, DocumentCacheState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
