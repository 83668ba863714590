use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use sophos_isolation::policy::Policy;
use sophos_store::Store;

/// A policy is read again after this time, so that a change needs no
/// deployment.
const AGE: Duration = Duration::from_secs(60);

/// The policy, from a file or an object, kept for a minute.
#[derive(Debug)]
pub struct PolicyFile {
    location: String,
    dry_run: bool,
    known: Mutex<Option<(Instant, Arc<Policy>)>>,
}

impl PolicyFile {
    /// The policy at this location.
    pub fn new(location: impl Into<String>) -> Self {
        Self { location: location.into(), dry_run: false, known: Mutex::new(None) }
    }

    /// The same, by which nothing is isolated whatever it says, if `dry_run`.
    #[must_use]
    pub fn in_dry_run(self, dry_run: bool) -> Self {
        Self { dry_run, ..self }
    }

    /// The policy as it is now. When it was changed to something that is no
    /// policy, the one before holds, and the mistakes are logged each minute.
    ///
    /// # Errors
    /// When there is no policy at all: with its mistakes.
    pub async fn current(&self) -> Result<Arc<Policy>, String> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((read_at, policy)) = &known
            && read_at.elapsed() < AGE
        {
            return Ok(Arc::clone(policy));
        }
        let read = match self.read().await {
            Ok(text) => match Policy::parse(&text) {
                Ok(policy) if self.dry_run => Ok(Arc::new(policy.in_dry_run())),
                Ok(policy) => Ok(Arc::new(policy)),
                Err(error) => Err(error.to_string()),
            },
            Err(problem) => Err(problem),
        };
        let policy = match (read, known) {
            (Ok(policy), _) => policy,
            (Err(problem), Some((_, before))) => {
                tracing::error!(
                    location = self.location,
                    problem,
                    "the policy cannot be read; the one before holds"
                );
                before
            }
            (Err(problem), None) => return Err(format!("the policy at {}: {problem}", self.location)),
        };
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        *known = Some((Instant::now(), Arc::clone(&policy)));
        Ok(policy)
    }

    async fn read(&self) -> Result<String, String> {
        let Some(rest) = self.location.strip_prefix("s3://") else {
            let path = self.location.strip_prefix("file://").unwrap_or(&self.location);
            return std::fs::read_to_string(path).map_err(|error| error.to_string());
        };
        let (folder, name) = rest.rsplit_once('/').ok_or("it names no object")?;
        let store = Store::open(&format!("s3://{folder}")).map_err(|error| error.to_string())?;
        let body =
            store.read(name).await.map_err(|error| error.to_string())?.ok_or("there is no such object")?;
        String::from_utf8(body.to_vec()).map_err(|_| "it is not text".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use sophos_isolation::policy::Mode;

    use super::*;

    #[tokio::test]
    async fn a_dry_run_holds_whatever_the_policy_says() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("policy.toml");
        std::fs::write(&path, "version = 1\nmode = \"enforce\"\n").expect("a file");
        for (dry_run, mode) in [(false, Mode::Enforce), (true, Mode::DryRun)] {
            let file = PolicyFile::new(path.to_string_lossy()).in_dry_run(dry_run);
            assert_eq!(file.current().await.expect("a policy").mode(), mode);
        }
    }
}
