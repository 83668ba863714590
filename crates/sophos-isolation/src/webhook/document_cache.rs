//! Key sets and certificates that senders publish, kept between requests.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_lock::Mutex as AsyncMutex;

/// How long a document is used without another look at it.
const MAX_AGE: Duration = Duration::from_secs(60 * 60);

/// How long it is used while it cannot be fetched again.
const MAX_STALE_AGE: Duration = Duration::from_secs(6 * 60 * 60);

/// How long a document that is kept is not fetched again because a request names
/// a key that is not in it.
const REFETCH_INTERVAL: Duration = Duration::from_secs(5 * 60);

/// How long a document is not fetched after a failure, and no other for the same
/// caller.
const RETRY_INTERVAL: Duration = Duration::from_secs(60);

/// The most documents that are fetched for one source in [`RETRY_INTERVAL`]
/// besides those that are kept.
const MAX_FETCHES: usize = 10;

/// The largest document, in bytes.
const MAX_DOCUMENT_LEN: usize = 1 << 20;

/// The most documents that are kept.
const MAX_DOCUMENTS: usize = 256;

/// Documents by source and URL. Any caller can name a document before anything is
/// proven, so that in [`RETRY_INTERVAL`] no more than one is fetched for a caller,
/// and no more than [`MAX_FETCHES`] for a source: one caller does not keep another
/// from the certificate that it names.
#[derive(Debug, Default)]
pub(super) struct DocumentCache {
    state: Mutex<DocumentCacheState>,
    fetching: AsyncMutex<()>,
}

#[derive(Debug, Default)]
struct DocumentCacheState {
    documents: HashMap<(String, String), CachedDocument>,
    /// The fetches of each source in the last [`REFETCH_INTERVAL`].
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
    failure: Option<String>,
}

impl DocumentCacheState {
    /// Whether `url` may be fetched now for this caller.
    ///
    /// # Errors
    /// Why not.
    fn may_fetch(
        &mut self,
        source: &str,
        url: &str,
        caller: Option<IpAddr>,
        is_cached: bool,
        now: Duration,
    ) -> Result<(), String> {
        let Some(attempts) = self.attempts.get_mut(source) else { return Ok(()) };
        attempts.retain(|attempt| attempt.attempted_at.abs_diff(now) < REFETCH_INTERVAL);
        let is_recent = |attempt: &FetchAttempt| attempt.attempted_at.abs_diff(now) < RETRY_INTERVAL;
        if let Some(last) = attempts.iter().rfind(|attempt| attempt.url == url)
            && (is_recent(last) || (is_cached && last.failure.is_none()))
        {
            return Err(last.failure.clone().unwrap_or_else(|| deferral_error(url)));
        }
        let mut recent = attempts.iter().filter(|attempt| is_recent(attempt));
        let is_put_off = !is_cached
            && (recent.clone().any(|attempt| attempt.caller == caller)
                || recent.nth(MAX_FETCHES - 1).is_some());
        if is_put_off { Err(deferral_error(url)) } else { Ok(()) }
    }
}

fn deferral_error(url: &str) -> String {
    format!("fetching {url} is put off: another was just fetched")
}

/// The address of a caller, or the network of IPv6 that one host has.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into(),
        address => address,
    }
}

impl DocumentCache {
    /// The document at `url`, which `caller` named; `None` where the policy names it.
    /// `suffices` says of a document that is kept whether
    /// it answers this request, and `is_good` of one that was fetched whether it
    /// is what it should be.
    ///
    /// # Errors
    /// When there is none and none may or can be fetched now.
    #[expect(clippy::too_many_arguments, reason = "what is fetched, for whom, and what is good of it")]
    pub(super) async fn get_or_fetch<F: Future<Output = Result<Vec<u8>, String>>>(
        &self,
        source: &str,
        url: &str,
        caller: Option<IpAddr>,
        now: Duration,
        is_sufficient: impl Fn(&[u8]) -> bool,
        is_valid: impl Fn(&[u8]) -> bool,
        fetch: impl FnOnce() -> F,
    ) -> Result<Arc<[u8]>, String> {
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
        let caller = caller.map(network);
        let known = {
            let mut state = self.lock_state();
            let known = state.documents.get(&key).cloned();
            let known = known.filter(|known| known.fetched_at.abs_diff(now) < MAX_STALE_AGE);
            if let Err(why) = state.may_fetch(source, url, caller, known.is_some(), now) {
                return known.map(|known| known.content).ok_or(why);
            }
            // Noted before the fetch, which may be cut off.
            let attempt = FetchAttempt { url: url.to_owned(), caller, attempted_at: now, failure: None };
            state.attempts.entry(source.to_owned()).or_default().push(attempt);
            known
        };
        let fetched = fetch().await.and_then(|content| {
            let good = content.len() <= MAX_DOCUMENT_LEN && is_valid(&content);
            if good { Ok(content) } else { Err("the answer is not of the expected form".into()) }
        });
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
            Err(problem) => {
                let failure = format!("fetching {url} failed: {problem}");
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
