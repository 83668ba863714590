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

/// The secrets of senders in Secrets Manager, each the plain text of a secret.
///
/// `AWSPREVIOUS` is accepted beside `AWSCURRENT` for as long as it is there:
/// take the label away to end that. Both are read anew after a time to live, by
/// one `GetSecretValue` each.
pub struct ManagedSecrets {
    client: Client,
    prefix: String,
    time_to_live: Duration,
    clock: Box<Clock>,
    kept: Mutex<HashMap<String, (Duration, Stages)>>,
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

    fn kept(&self, id: &str) -> Option<Stages> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, stages) = kept.get(id)?;
        ((self.clock)().saturating_sub(*at) < self.time_to_live).then(|| stages.clone())
    }
}

impl NamedSecrets for ManagedSecrets {
    async fn read(&self, name: &str) -> Result<Stages, SourceError> {
        let id = format!("{}{name}", self.prefix);
        if let Some(stages) = self.kept(&id) {
            return Ok(stages);
        }
        let _one_at_a_time = self.reading.lock().await;
        if let Some(stages) = self.kept(&id) {
            return Ok(stages);
        }
        let current = labelled(&self.client, &id, CURRENT).await?;
        let current = current.ok_or_else(|| {
            SourceError::new(&id, "there is no such secret in this account and region; create it")
        })?;
        let current = current.value?;
        if current.expose_secret().trim().is_empty() {
            return Err(SourceError::new(&id, "is empty; store a secret in it"));
        }
        let previous = labelled(&self.client, &id, PREVIOUS).await?;
        // One that is no text is of no use to anybody, and no reason to refuse the
        // current one.
        let previous = previous.and_then(|fetched| fetched.value.ok());
        let previous = previous.filter(|previous| !previous.expose_secret().trim().is_empty());
        let stages = Stages { current, previous };
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.insert(id, ((self.clock)(), stages.clone()));
        Ok(stages)
    }
}

impl fmt::Debug for ManagedSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ManagedSecrets").field(&self.prefix).finish()
    }
}
