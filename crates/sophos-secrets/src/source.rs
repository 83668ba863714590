use std::{
    fmt,
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
    /// What was offered for the token that is being asked for.
    offered: Vec<Credentials>,
    /// What was refused for good, and when.
    refused: Option<(Credentials, Duration)>,
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

    async fn read(&self, version: Version) -> Result<Option<Arc<StoredCredential>>, NoCredential> {
        self.store.read(&self.name, version).await.map_err(|error| NoCredential::new(error.to_string()))
    }

    async fn must_read(&self, version: Version) -> Result<Credentials, NoCredential> {
        match self.read(version).await? {
            Some(stored) => Ok(stored.credentials.clone()),
            None => Err(NoCredential::new(format!("there is no credential {:?}", self.name))),
        }
    }

    async fn first(&self) -> Result<Credentials, NoCredential> {
        let now = (self.clock)();
        let held = self.state().refused.clone().filter(|(_, at)| now.saturating_sub(*at) < HELD);
        let version = if held.is_some() { Version::Fresh } else { Version::Cached };
        let current = self.must_read(version).await?;
        if held.is_some_and(|(refused, _)| refused == current) {
            return Err(NoCredential::new(format!(
                "{}: it was refused less than {} s ago and was not replaced since",
                self.name,
                HELD.as_secs()
            )));
        }
        let mut state = self.state();
        state.refused = None;
        state.offered = vec![current.clone()];
        Ok(current)
    }

    async fn next(&self, refused: &Credentials) -> Result<Credentials, NoCredential> {
        let offered = self.state().offered.clone();
        let current = if offered.len() < 2 { self.must_read(Version::Fresh).await? } else { refused.clone() };
        if !offered.contains(&current) {
            self.state().offered.push(current.clone());
            return Ok(current);
        }
        let previous = match self.read(Version::Previous).await {
            Ok(previous) => previous.map(|stored| stored.credentials.clone()),
            // Not to be read is not to be used, and the refusal is what matters.
            Err(error) => {
                tracing::warn!(credential = self.name, %error, "the version before could not be read");
                None
            }
        };
        if let Some(previous) = previous.filter(|previous| !offered.contains(previous)) {
            tracing::warn!(credential = self.name, "it is refused; the version before it is tried");
            self.state().offered.push(previous.clone());
            return Ok(previous);
        }
        // The one that later reads are held against: the current.
        let current = self.must_read(Version::Cached).await.unwrap_or(current);
        let tried: Vec<_> = offered.iter().map(Credentials::client_id).collect();
        let advice = format!(
            "{}: all that it holds is refused (client id {}); make a new credential in Sophos Central, and store \
             it there",
            self.name,
            tried.join(" and ")
        );
        self.state().refused = Some((current, (self.clock)()));
        Err(NoCredential::new(advice))
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
