use std::{
    fmt, mem,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use sophos_api::{BoxFuture, CredentialSource, Credentials, NoCredential};

use crate::{CredentialStore, SourceError, StoredCredential, Version};

/// For how long a credential that was refused is not tried again, unless it was
/// replaced.
const HELD: Duration = Duration::from_secs(60);

type Clock = dyn Fn() -> Duration + Send + Sync;

/// One credential of a store, as a client reads it.
pub struct StoredSource {
    store: Arc<dyn CredentialStore>,
    name: String,
    clock: Box<Clock>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// What the identity service has refused, and when.
    refused: Vec<(Credentials, Duration)>,
    /// The store was asked past its cache for this token.
    read_anew: bool,
}

impl StoredSource {
    /// The credential of this name. `clock` tells the time since any fixed
    /// moment.
    pub fn new(
        store: Arc<dyn CredentialStore>,
        name: impl Into<String>,
        clock: impl Fn() -> Duration + Send + Sync + 'static,
    ) -> Self {
        Self { store, name: name.into(), clock: Box::new(clock), state: Mutex::default() }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn first(&self) -> Result<Credentials, NoCredential> {
        let now = (self.clock)();
        let version = {
            let mut state = self.state();
            state.refused.retain(|(_, at)| now.saturating_sub(*at) < HELD);
            state.read_anew = !state.refused.is_empty();
            if state.read_anew { Version::Fresh } else { Version::Cached }
        };
        self.untried(version).await?.ok_or_else(|| {
            NoCredential::new(format!(
                "{}: it was refused less than {} s ago and was not replaced since",
                self.name,
                HELD.as_secs()
            ))
        })
    }

    async fn next(&self, refused: &Credentials) -> Result<Credentials, NoCredential> {
        let version = {
            let mut state = self.state();
            state.refused.push((refused.clone(), (self.clock)()));
            if mem::replace(&mut state.read_anew, true) { Version::Cached } else { Version::Fresh }
        };
        if let Some(credentials) = self.untried(version).await? {
            return Ok(credentials);
        }
        let state = self.state();
        let mut tried: Vec<_> = state.refused.iter().map(|(refused, _)| refused.client_id()).collect();
        tried.dedup();
        Err(NoCredential::new(format!(
            "{}: all that it holds is refused (client id {}); make a new credential in Sophos Central, and store \
             it there",
            self.name,
            tried.join(" and ")
        )))
    }

    /// The current credential, or the one before it: the first that was not
    /// refused.
    async fn untried(&self, version: Version) -> Result<Option<Credentials>, NoCredential> {
        let told = |error: SourceError| NoCredential::new(error.to_string());
        let malformed = match self.store.read(&self.name, version).await {
            Ok(Some(current)) if !self.was_refused(&current) => return Ok(Some(current.credentials.clone())),
            Ok(Some(_)) => None,
            Ok(None) => return Err(NoCredential::new(format!("there is no credential {:?}", self.name))),
            Err(error) if error.is_malformed() => Some(error),
            Err(error) => return Err(told(error)),
        };
        match self.store.read(&self.name, Version::Previous).await {
            Ok(Some(previous)) if !self.was_refused(&previous) => {
                let why = malformed.map_or_else(|| "it is refused".to_owned(), |error| error.to_string());
                tracing::warn!(credential = self.name, why, "the version before is tried");
                return Ok(Some(previous.credentials.clone()));
            }
            Ok(_) => {}
            // Not to be read is not to be used, and what is wrong with the
            // current one matters more.
            Err(error) => {
                tracing::warn!(credential = self.name, %error, "the version before could not be read");
            }
        }
        malformed.map_or(Ok(None), |error| Err(told(error)))
    }

    fn was_refused(&self, stored: &StoredCredential) -> bool {
        self.state().refused.iter().any(|(refused, _)| *refused == stored.credentials)
    }
}

impl CredentialSource for StoredSource {
    fn current(&self) -> BoxFuture<'_, Result<Credentials, NoCredential>> {
        Box::pin(self.first())
    }

    fn after_refusal<'a>(
        &'a self,
        refused: &'a Credentials,
    ) -> BoxFuture<'a, Result<Credentials, NoCredential>> {
        Box::pin(self.next(refused))
    }
}

impl fmt::Debug for StoredSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredSource").field("store", &self.store).field("name", &self.name).finish()
    }
}
