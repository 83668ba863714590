use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use sophos_isolation::policy::Policy;
use sophos_store::Store;
use tokio::time::Instant;

/// A policy is read again after this time, so that a change needs no
/// deployment.
const AGE: Duration = Duration::from_secs(60);

/// How long it is known that there is no policy: whoever may call the webhook
/// must not be able to have it read each time.
const FAILURE_AGE: Duration = Duration::from_secs(10);

/// The policy, from a file or an object, kept for a minute.
#[derive(Debug)]
pub struct PolicyFile {
    location: String,
    dry_run: bool,
    known: Mutex<Option<(Instant, Arc<Policy>)>>,
    failed: Mutex<Option<(Instant, String)>>,
}

impl PolicyFile {
    /// The policy at this location.
    pub fn new(location: impl Into<String>) -> Self {
        Self { location: location.into(), dry_run: false, known: Mutex::new(None), failed: Mutex::new(None) }
    }

    /// The same, by which nothing is isolated whatever it says, if `dry_run`.
    #[must_use]
    pub fn in_dry_run(self, dry_run: bool) -> Self {
        Self { dry_run, ..self }
    }

    /// The policy as it is now. When it was changed to something that is no
    /// policy, the one before holds, and the mistakes are logged each minute. A
    /// process that has read none before logs them too: an alarm looks for these
    /// records, and processes come and go.
    ///
    /// A mistake in one source disables that source, which is logged as often. So
    /// are the policy's warnings.
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
        if known.is_none()
            && let Some((at, problem)) = &*self.failed.lock().unwrap_or_else(PoisonError::into_inner)
            && at.elapsed() < FAILURE_AGE
        {
            return Err(problem.clone());
        }
        let read = match self.read().await {
            Ok(text) => match Policy::load(&text) {
                Ok(policy) if self.dry_run => Ok(Arc::new(policy.in_dry_run())),
                Ok(policy) => Ok(Arc::new(policy)),
                Err(error) => Err(error.to_string()),
            },
            Err(problem) => Err(problem),
        };
        let location = &self.location;
        let policy = match (read, known) {
            (Ok(policy), _) => policy,
            (Err(problem), Some((_, before))) => {
                tracing::error!(location, problem, "the policy cannot be read; the one before holds");
                before
            }
            (Err(problem), None) => {
                tracing::error!(location, problem, "the policy cannot be read; there is none before");
                let problem = format!("the policy at {location}: {problem}");
                let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
                *failed = Some((Instant::now(), problem.clone()));
                return Err(problem);
            }
        };
        for disabled in policy.disabled() {
            let (event, source, problem) = ("source_disabled", disabled.name(), disabled.to_string());
            tracing::error!(
                event,
                location,
                source,
                problem,
                "disabled a source with mistakes in the policy"
            );
        }
        for warning in policy.warnings() {
            let (event, line, key) = ("policy_warning", warning.line, &warning.key);
            let problem = &warning.problem;
            tracing::warn!(event, location, line, key, problem, "the policy may not do what it seems to");
        }
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
    use std::io::{self, Write};

    use serde_json::Value;
    use sophos_isolation::policy::Mode;

    use super::*;

    /// Where records are written as JSON, as a function writes them.
    #[derive(Clone, Default)]
    struct Records(Arc<Mutex<Vec<u8>>>);

    impl Write for Records {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("no panic").write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Records {
        /// Captures what this thread logs, as long as the guard lives.
        fn capture() -> (Self, tracing::subscriber::DefaultGuard) {
            let records = Self::default();
            let writer = records.clone();
            let subscriber = tracing_subscriber::fmt().json().flatten_event(true);
            let subscriber = subscriber.with_writer(move || writer.clone()).finish();
            (records, tracing::subscriber::set_default(subscriber))
        }

        fn all(&self) -> Vec<Value> {
            let written = self.0.lock().expect("no panic").clone();
            let lines = String::from_utf8(written).expect("text");
            lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_policy_that_is_none_is_logged_whether_there_was_one_before_or_not() {
        let (records, _guard) = Records::capture();
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("policy.toml");
        let write = |text: &str| std::fs::write(&path, text).expect("a file");
        let file = PolicyFile::new(path.to_string_lossy());

        write("version = 1\nmode = \"enfroce\"\n");
        let error = file.current().await.expect_err("there is none before");
        assert!(error.contains("policy.toml") && error.contains("line 2"), "{error}");
        write("version = 1\nmode = \"enforce\"\n");
        assert_eq!(file.current().await.expect_err("it is read again later"), error);
        tokio::time::advance(FAILURE_AGE).await;
        file.current().await.expect("a policy");
        write("version = 1\nmode = \"enfroce\"\n");
        tokio::time::advance(AGE).await;
        assert_eq!(file.current().await.expect("the one before").mode(), Mode::Enforce);

        let all = records.all();
        let messages: Vec<_> = all.iter().map(|record| record["message"].as_str()).collect();
        let expected = [
            "the policy cannot be read; there is none before",
            "the policy cannot be read; the one before holds",
        ];
        assert_eq!(messages, expected.map(Some));
        for record in &all {
            assert_eq!(
                (&record["level"], &record["location"]),
                (&"ERROR".into(), &path.to_string_lossy().into())
            );
            assert!(record["problem"].as_str().is_some_and(|problem| problem.contains("line 2")), "{record}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn policy_file_logs_a_disabled_source_when_it_reads() {
        let (records, _guard) = Records::capture();
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("policy.toml");
        let tenant = "11f104c5-cc4a-4a9f-bb9c-632c936dfb9f";
        let source = |name: &str, scheme: &str| {
            format!(
                "[sources.{name}]\ntool = \"wazuh\"\ntenants = [\"{tenant}\"]\n\
                 verify = {{ scheme = \"{scheme}\", secret = \"s\" }}\n"
            )
        };
        let text = format!("version = 1\n{}{}", source("good", "bearer"), source("bad", "bearre"));
        std::fs::write(&path, text).expect("a file");
        let file = PolicyFile::new(path.to_string_lossy());
        for _ in 0..2 {
            let policy = file.current().await.expect("a policy without one source");
            assert!(policy.source("good").is_some() && policy.source("bad").is_none());
            file.current().await.expect("the same, not read again");
            tokio::time::advance(AGE).await;
        }
        let all = records.all();
        assert_eq!(all.len(), 2, "{all:?}");
        for record in &all {
            assert_eq!((&record["level"], &record["event"]), (&"ERROR".into(), &"source_disabled".into()));
            assert_eq!(record["source"], "bad");
            assert!(record["problem"].as_str().is_some_and(|text| text.contains("line 9")), "{record}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn policy_file_logs_warnings_when_it_reads() {
        let (records, _guard) = Records::capture();
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("policy.toml");
        let text = "version = 1\nmode = \"enforce\"\n[protect]\npatterns = [\"dc*\", \"10.0.*\"]\n";
        std::fs::write(&path, text).expect("a file");
        let file = PolicyFile::new(path.to_string_lossy());
        for _ in 0..2 {
            let policy = file.current().await.expect("a policy with a warning");
            assert_eq!(policy.mode(), Mode::Enforce);
            file.current().await.expect("the same, not read again");
            tokio::time::advance(AGE).await;
        }
        let all = records.all();
        assert_eq!(all.len(), 2, "{all:?}");
        for record in &all {
            assert_eq!((&record["level"], &record["event"]), (&"WARN".into(), &"policy_warning".into()));
            assert_eq!((&record["line"], &record["key"]), (&4.into(), &"protect.patterns[1]".into()));
            assert!(record["problem"].as_str().is_some_and(|text| text.contains("no endpoint")), "{record}");
        }
    }

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
