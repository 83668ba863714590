use std::{
    collections::HashMap,
    fmt,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use async_lock::Mutex as AsyncMutex;
use aws_sdk_secretsmanager::Client;

use super::fetch::{CURRENT, PREVIOUS, labelled};
use crate::{Clock, ExposeSecret, NamedSecrets, SourceError, Stages};

/// How long a failure to read a secret is kept: whoever may call the webhook
/// must not be able to have Secrets Manager called each time.
const FAILURE_TIME_TO_LIVE: Duration = Duration::from_secs(60);

/// A reading of a secret, and when it was made.
type Reading = (Duration, Result<Stages, SourceError>);

/// The secrets of senders in Secrets Manager, each the plain text of a secret.
///
/// `AWSPREVIOUS` is accepted beside `AWSCURRENT` for as long as it is there:
/// take the label away to end that. Both are read anew after a time to live, by
/// one `GetSecretValue` each. A failure is kept for at most a minute.
pub struct ManagedSecrets {
    client: Client,
    prefix: String,
    time_to_live: Duration,
    clock: Box<Clock>,
    kept: Mutex<HashMap<String, Reading>>,
    reading: AsyncMutex<()>,
}

impl ManagedSecrets {
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
            kept: Mutex::default(),
            reading: AsyncMutex::new(()),
        }
    }

    fn kept(&self, id: &str) -> Option<Result<Stages, SourceError>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, reading) = kept.get(id)?;
        let time_to_live = match reading {
            Ok(_) => self.time_to_live,
            Err(_) => self.time_to_live.min(FAILURE_TIME_TO_LIVE),
        };
        ((self.clock)().saturating_sub(*at) < time_to_live).then(|| reading.clone())
    }

    async fn fetch(&self, id: &str) -> Result<Stages, SourceError> {
        let current = labelled(&self.client, id, CURRENT).await?;
        let current = current.ok_or_else(|| {
            SourceError::new(id, "there is no such secret in this account and region; create it")
        })?;
        let current = current.value?;
        if current.expose_secret().trim().is_empty() {
            return Err(SourceError::new(id, "is empty; store a secret in it"));
        }
        let previous = labelled(&self.client, id, PREVIOUS).await?;
        // One that is no text is of no use to anybody, and no reason to refuse the
        // current one.
        let previous = previous.and_then(|fetched| fetched.value.ok());
        let previous = previous.filter(|previous| !previous.expose_secret().trim().is_empty());
        Ok(Stages { current, previous })
    }
}

impl NamedSecrets for ManagedSecrets {
    async fn read(&self, name: &str) -> Result<Stages, SourceError> {
        let id = format!("{}{name}", self.prefix);
        if let Some(reading) = self.kept(&id) {
            return reading;
        }
        let _one_at_a_time = self.reading.lock().await;
        if let Some(reading) = self.kept(&id) {
            return reading;
        }
        let reading = self.fetch(&id).await;
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.insert(id, ((self.clock)(), reading.clone()));
        reading
    }
}

impl fmt::Debug for ManagedSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ManagedSecrets").field(&self.prefix).finish()
    }
}
