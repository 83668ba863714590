use std::{
    fmt, mem,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use sophos_api::{Auth, BoxFuture, CredentialSource, Credentials, NoCredential};

use crate::{Clock, CredentialStore, RequestedVersion, StoredCredential};

/// The time for which a rejected credential is not retried, unless it is replaced.
const REJECTION_TTL: Duration = Duration::from_secs(60);

/// The credential source of a client: one credential of a store.
///
/// # Examples
/// ```
/// use std::{sync::Arc, time::Instant};
///
/// use sophos_api::{Client, Transport};
/// use sophos_secrets::{FileCredentials, StoredCredentialSource};
///
/// fn client<T: Transport>(transport: T) -> Client<T> {
///     let store = Arc::new(FileCredentials::new("credentials.toml"));
///     let started = Instant::now();
///     let source = StoredCredentialSource::new(store, "partner", move || started.elapsed());
///     Client::builder(transport, source).build()
/// }
/// ```
pub struct StoredCredentialSource {
    store: Arc<dyn CredentialStore>,
    name: String,
    clock: Box<Clock>,
    state: Mutex<SourceState>,
}

#[derive(Default)]
struct SourceState {
    /// The rejected credentials, each with the time of its rejection.
    rejected: Vec<(Credentials, Duration)>,
    /// Whether the store was read without its cache for this token.
    cache_bypassed: bool,
}

impl StoredCredentialSource {
    /// Creates the source of the credential of this name. `clock` returns the time since
    /// any fixed moment.
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
                "{}: the credential was rejected less than {} s ago and is not replaced (client id {}); store a new one",
                self.name,
                REJECTION_TTL.as_secs(),
                self.rejected_client_ids()
            ))
        })
    }

    async fn select_replacement(&self, rejected: &Credentials) -> Result<Credentials, NoCredential> {
        // Before the read: if that fails, the credential must not be retried either.
        let version = {
            let mut state = self.state();
            state.rejected.push((rejected.clone(), (self.clock)()));
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
            "{}: all its versions are rejected (client id {}); create a new credential in Sophos Central and \
             store it there",
            self.name,
            self.rejected_client_ids()
        )))
    }

    /// The distinct client ids of the rejected credentials.
    fn rejected_client_ids(&self) -> String {
        let state = self.state();
        let mut tried = Vec::new();
        for (rejected, _) in &state.rejected {
            if !tried.contains(&rejected.client_id()) {
                tried.push(rejected.client_id());
            }
        }
        tried.join(" and ")
    }

    /// The current or the previous version, the first that was not rejected.
    async fn first_not_rejected(
        &self,
        version: RequestedVersion,
    ) -> Result<Option<Credentials>, NoCredential> {
        let current = self.store.load(&self.name, version).await;
        let current = current.map_err(|error| NoCredential::new(error.to_string()))?;
        let none = || NoCredential::new(format!("missing credential {:?}", self.name));
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
                    secret_name = self.name,
                    "the current version was rejected; trying the previous version"
                );
                Ok(Some(previous.credentials.clone()))
            }
            // The rejection is the more useful error.
            Err(error) => {
                tracing::warn!(event = "previous_version_unavailable", secret_name = self.name, %error, "failed to read the previous version");
                Ok(None)
            }
        }
    }

    fn is_rejected(&self, stored: &StoredCredential) -> bool {
        self.state().rejected.iter().any(|(rejected, _)| *rejected == stored.credentials)
    }
}

impl CredentialSource for StoredCredentialSource {
    fn current(&self) -> BoxFuture<'_, Result<Auth, NoCredential>> {
        Box::pin(async { Ok(self.select_current().await?.into()) })
    }

    fn replace_rejected<'a>(&'a self, rejected: &'a Auth) -> BoxFuture<'a, Result<Auth, NoCredential>> {
        Box::pin(async move {
            match rejected {
                Auth::Credentials(rejected) => Ok(self.select_replacement(rejected).await?.into()),
                _ => Err(NoCredential::new(format!(
                    "{}: the rejected credential is not from this store",
                    self.name
                ))),
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
