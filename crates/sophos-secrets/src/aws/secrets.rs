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

/// How long a failure to read a secret is kept: whoever may call the webhook
/// must not be able to have Secrets Manager called each time.
const FAILURE_TTL: Duration = Duration::from_secs(60);

/// A reading of a secret, and when it was made.
type CachedRead = (Duration, Result<RotatingSecret, SecretError>);

/// The secrets of senders in Secrets Manager, each the plain text of a secret.
///
/// `AWSPREVIOUS` is accepted beside `AWSCURRENT` for as long as it is there:
/// take the label away to end that. Both are read anew after a time to live, by
/// one `GetSecretValue` each. A failure is kept for at most a minute.
pub struct SecretsManagerSecrets {
    client: Client,
    prefix: String,
    time_to_live: Duration,
    clock: Box<Clock>,
    cache: Mutex<HashMap<String, CachedRead>>,
    fetch_lock: AsyncMutex<()>,
}

impl SecretsManagerSecrets {
    /// The secrets whose names begin with `prefix`, which callers leave out.
    /// `clock` tells the time since any fixed moment.
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
        let kept = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, reading) = kept.get(id)?;
        let time_to_live = match reading {
            Ok(_) => self.time_to_live,
            Err(_) => self.time_to_live.min(FAILURE_TTL),
        };
        ((self.clock)().saturating_sub(*at) < time_to_live).then(|| reading.clone())
    }

    async fn fetch(&self, id: &str) -> Result<RotatingSecret, SecretError> {
        let current = fetch_version(&self.client, id, AWSCURRENT).await?;
        let current = current.ok_or_else(|| {
            SecretError::new(id, "there is no such secret in this account and region; create it")
        })?;
        let current = current.value?;
        if current.expose_secret().trim().is_empty() {
            return Err(SecretError::new(id, "is empty; store a secret in it"));
        }
        let previous = fetch_version(&self.client, id, AWSPREVIOUS).await?;
        // One that is no text is of no use to anybody, and no reason to refuse the
        // current one.
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
        let _one_at_a_time = self.fetch_lock.lock().await;
        if let Some(reading) = self.cached(&id) {
            return reading;
        }
        let reading = self.fetch(&id).await;
        let mut kept = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        kept.insert(id, ((self.clock)(), reading.clone()));
        reading
    }
}

impl fmt::Debug for SecretsManagerSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SecretsManagerSecrets").field(&self.prefix).finish()
    }
}
