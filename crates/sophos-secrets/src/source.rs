use std::{
    fmt, mem,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use sophos_api::{Authority, BoxFuture, CredentialSource, Credentials, NoCredential};

use crate::{Clock, CredentialStore, StoredCredential, Version};

/// For how long a credential that was refused is not tried again, unless it was
/// replaced.
const HELD: Duration = Duration::from_secs(60);

/// One credential of a store, as a client reads it.
pub struct StoredSource {
    store: Arc<dyn CredentialStore>,
    name: String,
    clock: Box<Clock>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// What was refused, and when.
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
                "{}: it was refused less than {} s ago and was not replaced since (client id {})",
                self.name,
                HELD.as_secs(),
                self.tried()
            ))
        })
    }

    async fn next(&self, refused: &Credentials) -> Result<Credentials, NoCredential> {
        // Before anything is read: what cannot be read must not be tried again
        // either.
        let version = {
            let mut state = self.state();
            state.refused.push((refused.clone(), (self.clock)()));
            if mem::replace(&mut state.read_anew, true) { Version::Cached } else { Version::Fresh }
        };
        if let Some(credentials) = self.untried(version).await? {
            return Ok(credentials);
        }
        Err(NoCredential::new(format!(
            "{}: all that it holds is refused (client id {}); make a new credential in Sophos Central, and store \
             it there",
            self.name,
            self.tried()
        )))
    }

    /// The client ids of what was refused, each once.
    fn tried(&self) -> String {
        let state = self.state();
        let mut tried = Vec::new();
        for (refused, _) in &state.refused {
            if !tried.contains(&refused.client_id()) {
                tried.push(refused.client_id());
            }
        }
        tried.join(" and ")
    }

    /// The current credential, or the one before it: the first that was not
    /// refused.
    async fn untried(&self, version: Version) -> Result<Option<Credentials>, NoCredential> {
        let current = self.store.read(&self.name, version).await;
        let current = current.map_err(|error| NoCredential::new(error.to_string()))?;
        let none = || NoCredential::new(format!("there is no credential {:?}", self.name));
        let current = current.ok_or_else(none)?;
        if !self.was_refused(&current) {
            return Ok(Some(current.credentials.clone()));
        }
        match self.store.read(&self.name, Version::Previous).await {
            Ok(previous) => {
                let Some(previous) = previous.filter(|previous| !self.was_refused(previous)) else {
                    return Ok(None);
                };
                tracing::warn!(credential = self.name, "it is refused; the version before it is tried");
                Ok(Some(previous.credentials.clone()))
            }
            // Not to be read is not to be used, and the refusal is what matters.
            Err(error) => {
                tracing::warn!(credential = self.name, %error, "the version before could not be read");
                Ok(None)
            }
        }
    }

    fn was_refused(&self, stored: &StoredCredential) -> bool {
        self.state().refused.iter().any(|(refused, _)| *refused == stored.credentials)
    }
}

impl CredentialSource for StoredSource {
    fn current(&self) -> BoxFuture<'_, Result<Authority, NoCredential>> {
        Box::pin(async { Ok(self.first().await?.into()) })
    }

    fn after_refusal<'a>(&'a self, refused: &'a Authority) -> BoxFuture<'a, Result<Authority, NoCredential>> {
        Box::pin(async move {
            match refused {
                Authority::Credentials(refused) => Ok(self.next(refused).await?.into()),
                _ => Err(NoCredential::new(format!("{}: what was refused is not of this store", self.name))),
            }
        })
    }
}

impl fmt::Debug for StoredSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredSource").field("store", &self.store).field("name", &self.name).finish()
    }
}
