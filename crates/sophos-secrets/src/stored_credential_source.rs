use std::{
    fmt, mem,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use sophos_api::{Auth, BoxFuture, CredentialSource, Credentials, NoCredential};

use crate::{Clock, CredentialStore, RequestedVersion, StoredCredential};

/// For how long a credential that was refused is not tried again, unless it was
/// replaced.
const REJECTION_TTL: Duration = Duration::from_secs(60);

/// One credential of a store, as a client reads it.
pub struct StoredCredentialSource {
    store: Arc<dyn CredentialStore>,
    name: String,
    clock: Box<Clock>,
    state: Mutex<SourceState>,
}

#[derive(Default)]
struct SourceState {
    /// What was refused, and when.
    rejected: Vec<(Credentials, Duration)>,
    /// The store was asked past its cache for this token.
    cache_bypassed: bool,
}

impl StoredCredentialSource {
    /// The credential of this name. `clock` tells the time since any fixed
    /// moment.
    pub fn new(
        store: Arc<dyn CredentialStore>,
        name: impl Into<String>,
        clock: impl Fn() -> Duration + Send + Sync + 'static,
    ) -> Self {
        Self { store, name: name.into(), clock: Box::new(clock), state: Mutex::default() }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, SourceState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn select_current(&self) -> Result<Credentials, NoCredential> {
        let now = (self.clock)();
        let version = {
            let mut state = self.state();
            state.rejected.retain(|(_, at)| now.saturating_sub(*at) < REJECTION_TTL);
            state.cache_bypassed = !state.rejected.is_empty();
            if state.cache_bypassed { RequestedVersion::Fresh } else { RequestedVersion::Cached }
        };
        self.first_not_rejected(version).await?.ok_or_else(|| {
            NoCredential::new(format!(
                "{}: it was refused less than {} s ago and was not replaced since (client id {})",
                self.name,
                REJECTION_TTL.as_secs(),
                self.rejected_client_ids()
            ))
        })
    }

    async fn select_replacement(&self, refused: &Credentials) -> Result<Credentials, NoCredential> {
        // Before anything is read: what cannot be read must not be tried again
        // either.
        let version = {
            let mut state = self.state();
            state.rejected.push((refused.clone(), (self.clock)()));
            if mem::replace(&mut state.cache_bypassed, true) {
                RequestedVersion::Cached
            } else {
                RequestedVersion::Fresh
            }
        };
        if let Some(credentials) = self.first_not_rejected(version).await? {
            return Ok(credentials);
        }
        Err(NoCredential::new(format!(
            "{}: all that it holds is refused (client id {}); make a new credential in Sophos Central, and store \
             it there",
            self.name,
            self.rejected_client_ids()
        )))
    }

    /// The client ids of what was refused, each once.
    fn rejected_client_ids(&self) -> String {
        let state = self.state();
        let mut tried = Vec::new();
        for (refused, _) in &state.rejected {
            if !tried.contains(&refused.client_id()) {
                tried.push(refused.client_id());
            }
        }
        tried.join(" and ")
    }

    /// The current credential, or the one before it: the first that was not
    /// refused.
    async fn first_not_rejected(
        &self,
        version: RequestedVersion,
    ) -> Result<Option<Credentials>, NoCredential> {
        let current = self.store.load(&self.name, version).await;
        let current = current.map_err(|error| NoCredential::new(error.to_string()))?;
        let none = || NoCredential::new(format!("there is no credential {:?}", self.name));
        let current = current.ok_or_else(none)?;
        if !self.is_rejected(&current) {
            return Ok(Some(current.credentials.clone()));
        }
        match self.store.load(&self.name, RequestedVersion::Previous).await {
            Ok(previous) => {
                let Some(previous) = previous.filter(|previous| !self.is_rejected(previous)) else {
                    return Ok(None);
                };
                tracing::warn!(
                    event = "previous_version_used",
                    credential = self.name,
                    "the current version was rejected; trying the previous version"
                );
                Ok(Some(previous.credentials.clone()))
            }
            // Not to be read is not to be used, and the refusal is what matters.
            Err(error) => {
                tracing::warn!(event = "previous_version_unavailable", credential = self.name, %error, "failed to read the previous version");
                Ok(None)
            }
        }
    }

    fn is_rejected(&self, stored: &StoredCredential) -> bool {
        self.state().rejected.iter().any(|(refused, _)| *refused == stored.credentials)
    }
}

impl CredentialSource for StoredCredentialSource {
    fn current(&self) -> BoxFuture<'_, Result<Auth, NoCredential>> {
        Box::pin(async { Ok(self.select_current().await?.into()) })
    }

    fn replace_rejected<'a>(&'a self, refused: &'a Auth) -> BoxFuture<'a, Result<Auth, NoCredential>> {
        Box::pin(async move {
            match refused {
                Auth::Credentials(refused) => Ok(self.select_replacement(refused).await?.into()),
                _ => Err(NoCredential::new(format!("{}: what was refused is not of this store", self.name))),
            }
        })
    }
}

impl fmt::Debug for StoredCredentialSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredCredentialSource")
            .field("store", &self.store)
            .field("name", &self.name)
            .finish()
    }
}
