use std::{
    collections::HashMap,
    fmt,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use async_lock::Mutex as AsyncMutex;
use aws_sdk_secretsmanager::Client;

use super::fetch::{AWSCURRENT, AWSPREVIOUS, fetch_version};
use crate::{Clock, ExposeSecret, RotatingSecret, SecretError, SecretStore};

/// The time for which a failed read is cached, so that callers of the webhook cannot
/// cause a request to Secrets Manager each time.
const FAILURE_TTL: Duration = Duration::from_secs(60);

/// The result of a read, with its time.
type CachedRead = (Duration, Result<RotatingSecret, SecretError>);

/// Secrets of webhook senders in Secrets Manager, each as plain text.
///
/// The version `AWSPREVIOUS` is valid beside `AWSCURRENT` until its label is removed. Both
/// are cached for a time to live, and read by one `GetSecretValue` each. A failure is
/// cached for at most a minute.
pub struct SecretsManagerSecrets {
    client: Client,
    prefix: String,
    time_to_live: Duration,
    clock: Box<Clock>,
    cache: Mutex<HashMap<String, CachedRead>>,
    fetch_lock: AsyncMutex<()>,
}

impl SecretsManagerSecrets {
    /// Creates a store of the secrets with this prefix of their names. Callers omit the
    /// prefix. `clock` returns the time since any fixed moment.
    pub fn new(
        client: Client,
        prefix: impl Into<String>,
        time_to_live: Duration,
        clock: impl Fn() -> Duration + Send + Sync + 'static,
    ) -> Self {
        Self {
            client,
            prefix: prefix.into(),
            time_to_live,
            clock: Box::new(clock),
            cache: Mutex::default(),
            fetch_lock: AsyncMutex::new(()),
        }
    }

    fn cached(&self, id: &str) -> Option<Result<RotatingSecret, SecretError>> {
        let cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, reading) = cache.get(id)?;
        let time_to_live = match reading {
            Ok(_) => self.time_to_live,
            Err(_) => self.time_to_live.min(FAILURE_TTL),
        };
        ((self.clock)().saturating_sub(*at) < time_to_live).then(|| reading.clone())
    }

    async fn fetch(&self, id: &str) -> Result<RotatingSecret, SecretError> {
        let current = fetch_version(&self.client, id, AWSCURRENT).await?;
        let current = current.ok_or_else(|| {
            SecretError::new(id, "the secret does not exist in this account and region; create it")
        })?;
        let current = current.value?;
        if current.expose_secret().trim().is_empty() {
            return Err(SecretError::new(id, "the secret is empty; store a value in it"));
        }
        let previous = fetch_version(&self.client, id, AWSPREVIOUS).await?;
        // A previous version that is not text is ignored; the current one is valid.
        let previous = previous.and_then(|fetched| fetched.value.ok());
        let previous = previous.filter(|previous| !previous.expose_secret().trim().is_empty());
        Ok(RotatingSecret { current, previous })
    }
}

impl SecretStore for SecretsManagerSecrets {
    async fn load(&self, name: &str) -> Result<RotatingSecret, SecretError> {
        let id = format!("{}{name}", self.prefix);
        if let Some(reading) = self.cached(&id) {
            return reading;
        }
        let _guard = self.fetch_lock.lock().await;
        if let Some(reading) = self.cached(&id) {
            return reading;
        }
        let reading = self.fetch(&id).await;
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        cache.insert(id, ((self.clock)(), reading.clone()));
        reading
    }
}

impl fmt::Debug for SecretsManagerSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SecretsManagerSecrets").field(&self.prefix).finish()
    }
}
