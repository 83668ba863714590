use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use sophos_isolation::policy::Policy;
use sophos_store::Store;
use tokio::{sync::Mutex as AsyncMutex, time::Instant};

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
    /// Held while it is read: requests that come meanwhile wait for the answer.
    reading: AsyncMutex<()>,
}

impl PolicyFile {
    /// The policy at this location.
    pub fn new(location: impl Into<String>) -> Self {
        Self {
            location: location.into(),
            dry_run: false,
            known: Mutex::default(),
            failed: Mutex::default(),
            reading: AsyncMutex::default(),
        }
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
    /// A mistake in one source disables that source, which is logged as often.
    ///
    /// # Errors
    /// When there is no policy at all: with its mistakes.
    pub async fn current(&self) -> Result<Arc<Policy>, String> {
        self.current_by(|| self.read()).await
    }

    /// The same, of what `read` reads.
    async fn current_by<F: Future<Output = Result<String, String>>>(
        &self,
        read: impl FnOnce() -> F,
    ) -> Result<Arc<Policy>, String> {
        if let Some(kept) = self.kept() {
            return kept;
        }
        let _one_at_a_time = self.reading.lock().await;
        if let Some(kept) = self.kept() {
            return kept;
        }
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let read = match read().await {
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
        for warning in policy.warnings() {
            let (event, problem) = ("policy_warning", warning.to_string());
            tracing::warn!(event, location, problem, "the policy should be changed");
        }
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
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        *known = Some((Instant::now(), Arc::clone(&policy)));
        Ok(policy)
    }

    /// What was read, or the failure to read it, if it is not too old.
    fn kept(&self) -> Option<Result<Arc<Policy>, String>> {
        if let Some((read_at, policy)) = &*self.known.lock().unwrap_or_else(PoisonError::into_inner) {
            return (read_at.elapsed() < AGE).then(|| Ok(Arc::clone(policy)));
        }
        let failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        let (_, problem) = failed.as_ref().filter(|(at, _)| at.elapsed() < FAILURE_AGE)?;
        Some(Err(problem.clone()))
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
    use std::{
        io::{self, Write},
        sync::atomic::{AtomicUsize, Ordering},
    };

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
    async fn policy_is_read_once_however_many_wait() {
        let file = PolicyFile::new("s3://bucket/policy.toml");
        let reads = AtomicUsize::new(0);
        let ask = async |answer: Result<&str, &str>| {
            let read = async || {
                reads.fetch_add(1, Ordering::Relaxed);
                tokio::time::sleep(Duration::from_millis(50)).await;
                answer.map(str::to_owned).map_err(str::to_owned)
            };
            tokio::join!(file.current_by(read), file.current_by(read), file.current_by(read))
        };
        // There is none: once in ten seconds.
        for (wait, expected) in [(0, 1), (9, 1), (2, 2)] {
            tokio::time::advance(Duration::from_secs(wait)).await;
            let (first, second, third) = ask(Err("there is no such object")).await;
            assert!(first.is_err() && second.is_err() && third.is_err());
            assert_eq!(reads.load(Ordering::Relaxed), expected, "after {wait} s");
        }
        tokio::time::advance(FAILURE_AGE).await;
        assert!(ask(Ok("version = 1")).await.2.is_ok());
        assert_eq!(reads.load(Ordering::Relaxed), 3);
        // It cannot be read again: once a minute.
        tokio::time::advance(AGE).await;
        for _ in 0..2 {
            assert!(ask(Err("denied")).await.2.is_ok(), "the one before holds");
        }
        assert_eq!(reads.load(Ordering::Relaxed), 4);
    }

    #[tokio::test]
    async fn policy_file_logs_a_secret_that_two_share() {
        let (records, _guard) = Records::capture();
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("policy.toml");
        let source = |name: &str| {
            format!(
                "[sources.{name}]\ntool = \"wazuh\"\ntenants = [\"11f104c5-cc4a-4a9f-bb9c-632c936dfb9f\"]\n\
                 verify = {{ scheme = \"bearer\", secret = \"s\" }}\n"
            )
        };
        std::fs::write(&path, format!("version = 1\n{}{}", source("one"), source("two"))).expect("a file");
        PolicyFile::new(path.to_string_lossy()).current().await.expect("a policy");
        let [record] = &records.all()[..] else { panic!("one record") };
        assert_eq!((&record["level"], &record["event"]), (&"WARN".into(), &"policy_warning".into()));
        assert!(record["problem"].as_str().is_some_and(|text| text.contains("source one")), "{record}");
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
