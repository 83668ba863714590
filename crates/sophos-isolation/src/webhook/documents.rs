//! Key sets and certificates that senders publish, kept between requests.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_lock::Mutex as AsyncMutex;

/// How long a document is used without another look at it.
const MAX_AGE: Duration = Duration::from_secs(60 * 60);

/// How long it is used while it cannot be fetched again.
const MAX_STALE_AGE: Duration = Duration::from_secs(6 * 60 * 60);

/// How long a source waits before a document is fetched that it has already,
/// because a request names a key that is not in it.
const REFETCH_INTERVAL: Duration = Duration::from_secs(5 * 60);

/// How long a source waits after a failure, or before another document.
const RETRY_INTERVAL: Duration = Duration::from_secs(60);

/// The largest document, in bytes.
const MAX_DOCUMENT_LEN: usize = 1 << 20;

/// The most documents that are kept.
const MAX_DOCUMENTS: usize = 256;

/// Documents by source and URL. Whatever a stranger sends, one source fetches
/// no more than one document in [`RETRY_INTERVAL`].
#[derive(Debug, Default)]
pub(super) struct Documents {
    state: Mutex<State>,
    fetching: AsyncMutex<()>,
}

#[derive(Debug, Default)]
struct State {
    documents: HashMap<(String, String), Document>,
    /// The last fetch of each source.
    attempts: HashMap<String, Attempt>,
}

#[derive(Debug, Clone)]
struct Document {
    content: Arc<[u8]>,
    fetched_at: Duration,
}

#[derive(Debug, Clone)]
struct Attempt {
    at: Duration,
    failure: Option<String>,
}

impl Documents {
    /// The document at `url`. `suffices` says of a document that is kept whether
    /// it answers this request, and `is_good` of one that was fetched whether it
    /// is what it should be.
    ///
    /// # Errors
    /// When there is none and none may or can be fetched now.
    pub(super) async fn get<F: Future<Output = Result<Vec<u8>, String>>>(
        &self,
        source: &str,
        url: &str,
        now: Duration,
        suffices: impl Fn(&[u8]) -> bool,
        is_good: impl Fn(&[u8]) -> bool,
        fetch: impl FnOnce() -> F,
    ) -> Result<Arc<[u8]>, String> {
        let key = (source.to_owned(), url.to_owned());
        let fresh = || {
            let state = self.state();
            let known = state.documents.get(&key)?;
            let answers = known.fetched_at.abs_diff(now) < MAX_AGE && suffices(&known.content);
            answers.then(|| Arc::clone(&known.content))
        };
        if let Some(content) = fresh() {
            return Ok(content);
        }
        let _one_at_a_time = self.fetching.lock().await;
        if let Some(content) = fresh() {
            return Ok(content);
        }
        let (known, attempt) = {
            let state = self.state();
            let known = state.documents.get(&key).cloned();
            (
                known.filter(|known| known.fetched_at.abs_diff(now) < MAX_STALE_AGE),
                state.attempts.get(source).cloned(),
            )
        };
        if let Some(Attempt { at, failure }) = attempt {
            let refetch = known.is_some() && failure.is_none();
            let interval = if refetch { REFETCH_INTERVAL } else { RETRY_INTERVAL };
            if at.abs_diff(now) < interval {
                let failure =
                    failure.unwrap_or_else(|| format!("fetching {url} is put off: another was just fetched"));
                return known.map(|known| known.content).ok_or(failure);
            }
        }
        self.state().attempts.insert(source.to_owned(), Attempt { at: now, failure: None });
        let fetched = fetch().await.and_then(|content| {
            let good = content.len() <= MAX_DOCUMENT_LEN && is_good(&content);
            if good { Ok(content) } else { Err("the answer is not of the expected form".into()) }
        });
        let mut state = self.state();
        match fetched {
            Ok(content) => {
                let content: Arc<[u8]> = content.into();
                if state.documents.len() >= MAX_DOCUMENTS {
                    state.documents.clear();
                }
                state.documents.insert(key, Document { content: Arc::clone(&content), fetched_at: now });
                Ok(content)
            }
            Err(problem) => {
                let failure = format!("fetching {url} failed: {problem}");
                let attempt = Attempt { at: now, failure: Some(failure.clone()) };
                state.attempts.insert(source.to_owned(), attempt);
                known.map(|known| known.content).ok_or(failure)
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
