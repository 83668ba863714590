use std::{sync::Arc, time::Duration};

use sophos_isolation::policy::Policy;
use sophos_store::Store;
use tokio::{sync::Mutex, time::Instant};

/// The time for which a policy is cached.
const REFRESH_INTERVAL: Duration = Duration::from_secs(60);

/// The time for which a failure is cached, so that unauthenticated requests do not
/// each read the policy.
const FAILURE_RETRY_INTERVAL: Duration = Duration::from_secs(10);

/// The time for which a failed read is retried.
const STORE_RETRY_TIMEOUT: Duration = Duration::from_secs(5);

/// The reason why no policy is available.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyUnavailable {
    /// The policy was deleted or emptied, or never stored.
    #[error("missing policy: {location} is absent or empty, and nothing is isolated; store a policy")]
    Absent {
        /// The location.
        location: String,
    },
    /// The policy is invalid.
    #[error("invalid policy at {location}: {issues}")]
    Invalid {
        /// The location.
        location: String,
        /// The issues, each with its line.
        issues: String,
    },
    /// The store failed.
    #[error("reading the policy at {location} failed: {cause}")]
    Unreadable {
        /// The location.
        location: String,
        /// The cause.
        cause: String,
    },
}

/// The policy in a file or an S3 object, cached for a minute.
#[derive(Debug)]
pub struct PolicyFile {
    location: String,
    dry_run: bool,
    /// Locked during a read, so that concurrent callers share it.
    cached: Mutex<Option<CachedPolicy>>,
}

/// A cached policy or failure.
#[derive(Debug)]
struct CachedPolicy {
    expires_at: Instant,
    policy: Result<Arc<Policy>, PolicyUnavailable>,
}

impl PolicyFile {
    /// Creates the policy file of a location.
    pub fn new(location: impl Into<String>) -> Self {
        Self { location: location.into(), dry_run: false, cached: Mutex::new(None) }
    }

    /// Forces a dry run, whatever the policy says, if `dry_run`.
    #[must_use]
    pub fn with_dry_run(self, dry_run: bool) -> Self {
        Self { dry_run, ..self }
    }

    /// Returns the current policy. If the latest policy is invalid or the store
    /// fails, the previous one stays in force. A deleted or emptied policy ends it.
    /// Every read logs these failures, also in a new process, as an alarm matches
    /// the log records.
    ///
    /// An error in one source disables that source. Every read logs disabled sources
    /// and the policy's warnings.
    ///
    /// # Errors
    /// When no policy is available. A failure is cached for ten seconds.
    pub async fn current(&self) -> Result<Arc<Policy>, PolicyUnavailable> {
        let mut cached = self.cached.lock().await;
        if let Some(CachedPolicy { expires_at, policy }) = &*cached
            && Instant::now() < *expires_at
        {
            return policy.clone();
        }
        let previous = cached.take().and_then(|cached| cached.policy.ok());
        let policy = match (self.load().await, previous) {
            (Ok(policy), _) => Ok(Arc::new(policy)),
            (Err(problem @ PolicyUnavailable::Absent { .. }), _) | (Err(problem), None) => {
                tracing::error!(
                    event = "policy_unavailable",
                    problem = problem.to_string(),
                    "no valid policy; all alerts are rejected"
                );
                Err(problem)
            }
            (Err(problem), Some(previous)) => {
                tracing::error!(
                    event = "policy_outdated",
                    problem = problem.to_string(),
                    "the latest policy is invalid; the last valid one stays in force"
                );
                Ok(previous)
            }
        };
        if let Ok(policy) = &policy {
            self.log_warnings(policy);
        }
        let ttl = if policy.is_ok() { REFRESH_INTERVAL } else { FAILURE_RETRY_INTERVAL };
        *cached = Some(CachedPolicy { expires_at: Instant::now() + ttl, policy: policy.clone() });
        policy
    }

    /// Returns the current policy, or [`Policy::absent`] if it is missing or invalid:
    /// then nothing is isolated, and releases continue.
    ///
    /// # Errors
    /// When the store fails and no previous policy exists.
    pub async fn current_or_absent(&self) -> Result<Arc<Policy>, PolicyUnavailable> {
        match self.current().await {
            Err(PolicyUnavailable::Absent { .. } | PolicyUnavailable::Invalid { .. }) => {
                Ok(Arc::new(Policy::absent()))
            }
            policy => policy,
        }
    }

    fn log_warnings(&self, policy: &Policy) {
        let location = &self.location;
        for disabled in policy.disabled() {
            let (event, source, problem) = ("source_disabled", disabled.name(), disabled.to_string());
            tracing::error!(event, location, source, problem, "disabled a source with errors in the policy");
        }
        for warning in policy.warnings() {
            let (event, line, key) = ("policy_warning", warning.line, &warning.key);
            let problem = &warning.message;
            tracing::warn!(event, location, line, key, problem, "the policy may not do what it seems to");
        }
    }

    async fn load(&self) -> Result<Policy, PolicyUnavailable> {
        let location = self.location.clone();
        let text = match self.load_text().await {
            Ok(Some(text)) if !is_empty(&text) => text,
            Ok(_) => return Err(PolicyUnavailable::Absent { location }),
            Err(cause) => return Err(PolicyUnavailable::Unreadable { location, cause }),
        };
        match Policy::parse_lenient(&text) {
            Ok(policy) if self.dry_run => Ok(policy.with_dry_run()),
            Ok(policy) => Ok(policy),
            Err(error) => Err(PolicyUnavailable::Invalid { location, issues: error.to_string() }),
        }
    }

    /// Reads the text, if it exists.
    async fn load_text(&self) -> Result<Option<String>, String> {
        let Some(rest) = self.location.strip_prefix("s3://") else {
            let path = self.location.strip_prefix("file://").unwrap_or(&self.location);
            return match std::fs::read_to_string(path) {
                Ok(text) => Ok(Some(text)),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
                Err(error) => Err(error.to_string()),
            };
        };
        let (folder, name) = rest.rsplit_once('/').ok_or("invalid location: expected s3://bucket/key")?;
        let store = Store::open_with_retry_timeout(&format!("s3://{folder}"), STORE_RETRY_TIMEOUT)
            .map_err(|error| error.to_string())?;
        let body = store.read(name).await.map_err(|error| error.to_string())?;
        body.map(|body| {
            String::from_utf8(body.to_vec()).map_err(|_| "invalid policy: expected UTF-8 text".to_owned())
        })
        .transpose()
    }
}

/// Whether a text has only comments and white space.
fn is_empty(text: &str) -> bool {
    let text = text.trim_start_matches('\u{feff}');
    text.lines().map(str::trim).all(|line| line.is_empty() || line.starts_with('#'))
}

#[cfg(test)]
mod tests {
    use std::{
        io::{self, Write},
        sync::Mutex,
    };

    use serde_json::Value;
    use sophos_isolation::policy::Mode;

    use super::*;

    /// A log in JSON, as a function writes it.
    #[derive(Clone, Default)]
    struct CapturedLog(Arc<Mutex<Vec<u8>>>);

    impl Write for CapturedLog {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("no panic").write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl CapturedLog {
        /// Captures the log of this thread, while the guard lives.
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
    async fn policy_file_logs_invalid_policy_with_and_without_previous() {
        let (records, _guard) = CapturedLog::capture();
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("policy.toml");
        let write = |text: &str| std::fs::write(&path, text).expect("a file");
        let file = PolicyFile::new(path.to_string_lossy());

        write("version = 1\nmode = \"enfroce\"\n");
        let error = file.current().await.expect_err("no previous policy");
        let text = error.to_string();
        assert!(text.contains("policy.toml") && text.contains("line 2"), "{text}");
        write("version = 1\nmode = \"enforce\"\n");
        assert_eq!(file.current().await.expect_err("the failure is cached"), error);
        tokio::time::advance(FAILURE_RETRY_INTERVAL).await;
        file.current().await.expect("a policy");
        write("version = 1\nmode = \"enfroce\"\n");
        tokio::time::advance(REFRESH_INTERVAL).await;
        assert_eq!(file.current().await.expect("the previous policy").mode(), Mode::Enforce);

        let all = records.all();
        let messages: Vec<_> = all.iter().map(|record| record["message"].as_str()).collect();
        let expected = [
            "no valid policy; all alerts are rejected",
            "the latest policy is invalid; the last valid one stays in force",
        ];
        assert_eq!(messages, expected.map(Some));
        for record in &all {
            assert_eq!(record["level"], "ERROR");
            assert!(record["problem"].as_str().is_some_and(|problem| problem.contains("line 2")), "{record}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn policy_file_drops_a_deleted_policy_on_refresh() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("policy.toml");
        let text = "version = 1\nmode = \"enforce\"\n";
        let file = PolicyFile::new(path.to_string_lossy());
        for emptied in [None, Some(""), Some(" \n\t\r\n"), Some("\u{feff}# version = 1\n  # nothing\n")] {
            std::fs::write(&path, text).expect("a file");
            tokio::time::advance(REFRESH_INTERVAL).await;
            file.current().await.expect("a policy");
            match emptied {
                None => std::fs::remove_file(&path).expect("a file"),
                Some(text) => std::fs::write(&path, text).expect("a file"),
            }
            tokio::time::advance(REFRESH_INTERVAL - Duration::from_millis(1)).await;
            file.current().await.expect("it is cached for a minute");
            tokio::time::advance(Duration::from_millis(1)).await;
            let error = file.current().await.expect_err("it was deleted");
            assert!(matches!(error, PolicyUnavailable::Absent { .. }), "{emptied:?}: {error}");
            let absent = file.current_or_absent().await.expect("the absent policy");
            assert!(absent.is_absent() && absent.sources().len() == 0);
        }
        // An invalid policy counts as absent without a previous one.
        std::fs::write(&path, "version = 2\n").expect("a file");
        let other = PolicyFile::new(path.to_string_lossy());
        assert!(matches!(other.current().await, Err(PolicyUnavailable::Invalid { .. })));
        assert!(other.current_or_absent().await.expect("the absent policy").is_absent());
    }

    #[tokio::test(start_paused = true)]
    async fn policy_file_reads_once_for_concurrent_callers() {
        // The location cannot be read: each attempt writes a log record.
        let (records, _guard) = CapturedLog::capture();
        let folder = tempfile::tempdir().expect("a folder");
        let file = PolicyFile::new(folder.path().to_string_lossy());
        let failed = |policy: Result<_, _>| matches!(policy, Err(PolicyUnavailable::Unreadable { .. }));
        let (a, b, c) = tokio::join!(file.current(), file.current(), file.current());
        assert!(failed(a) && failed(b) && failed(c));
        assert!(failed(file.current_or_absent().await), "the store may recover");
        assert_eq!(records.all().len(), 1);
        tokio::time::advance(FAILURE_RETRY_INTERVAL).await;
        assert!(failed(file.current().await));
        assert_eq!(records.all().len(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn policy_file_logs_a_disabled_source_when_it_reads() {
        let (records, _guard) = CapturedLog::capture();
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
            file.current().await.expect("the cached policy");
            tokio::time::advance(REFRESH_INTERVAL).await;
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
        let (records, _guard) = CapturedLog::capture();
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("policy.toml");
        let text = "version = 1\nmode = \"enforce\"\n[protect]\npatterns = [\"dc*\", \"10.0.*\"]\n";
        std::fs::write(&path, text).expect("a file");
        let file = PolicyFile::new(path.to_string_lossy());
        for _ in 0..2 {
            let policy = file.current().await.expect("a policy with a warning");
            assert_eq!(policy.mode(), Mode::Enforce);
            file.current().await.expect("the cached policy");
            tokio::time::advance(REFRESH_INTERVAL).await;
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
    async fn policy_file_forces_dry_run_when_configured() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("policy.toml");
        std::fs::write(&path, "version = 1\nmode = \"enforce\"\n").expect("a file");
        for (dry_run, mode) in [(false, Mode::Enforce), (true, Mode::DryRun)] {
            let file = PolicyFile::new(path.to_string_lossy()).with_dry_run(dry_run);
            assert_eq!(file.current().await.expect("a policy").mode(), mode);
        }
    }
}
