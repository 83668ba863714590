//! A function binary and its configuration.

use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    io,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::Stdio,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{net::TcpListener, process::Command, task::JoinSet};

use crate::{
    LogSink, Sandbox, StartError,
    api::{Api, Phase},
    ids,
    log::Log,
    outcome::InvocationOutcome,
    process::ExitInfo,
};

/// The account in the function's ARN; AWS uses it in examples.
const ACCOUNT_ID: &str = "123456789012";

/// A function binary with its configuration, ready to start.
///
/// The child's environment has the variables that Lambda sets and those of this configuration,
/// and nothing of the caller's. The credentials are placeholders, so AWS rejects a call that
/// reaches it.
#[derive(Clone, Debug)]
pub struct LambdaFunction {
    binary: PathBuf,
    name: String,
    memory_mb: u32,
    timeout: Duration,
    init_timeout: Duration,
    environment: BTreeMap<OsString, Option<OsString>>,
    sink: LogSink,
}

impl LambdaFunction {
    /// Creates a function with Lambda's defaults: 128 MB and 3 seconds. Its name is the
    /// file name.
    pub fn new(binary: impl Into<PathBuf>) -> Self {
        let binary = binary.into();
        let stem = binary.file_stem().unwrap_or_default();
        Self {
            name: stem.to_string_lossy().into_owned(),
            binary,
            memory_mb: 128,
            timeout: Duration::from_secs(3),
            init_timeout: Duration::from_secs(10),
            environment: BTreeMap::new(),
            sink: LogSink::default(),
        }
    }

    /// Sets the name, for `AWS_LAMBDA_FUNCTION_NAME`, the ARN and the log group.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Sets the memory size that the function reads from its environment. It is not
    /// enforced.
    #[must_use]
    pub fn memory_mb(mut self, megabytes: u32) -> Self {
        self.memory_mb = megabytes;
        self
    }

    /// Sets the timeout of each invocation.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets the timeout until the first poll, 10 seconds by default.
    #[must_use]
    pub fn init_timeout(mut self, timeout: Duration) -> Self {
        self.init_timeout = timeout;
        self
    }

    /// Sets an environment variable. It overrides Lambda's own.
    #[must_use]
    pub fn env(mut self, key: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.environment.insert(key.into(), Some(value.into()));
        self
    }

    /// Sets several environment variables.
    #[must_use]
    pub fn envs<K, V>(mut self, variables: impl IntoIterator<Item = (K, V)>) -> Self
    where
        K: Into<OsString>,
        V: Into<OsString>,
    {
        let variables = variables.into_iter().map(|(key, value)| (key.into(), Some(value.into())));
        self.environment.extend(variables);
        self
    }

    /// Removes an environment variable, including one that Lambda would set.
    #[must_use]
    pub fn env_remove(mut self, key: impl Into<OsString>) -> Self {
        self.environment.insert(key.into(), None);
        self
    }

    /// Sends the output of the function to `sink`, in addition to the captured log.
    #[must_use]
    pub fn log_to(mut self, sink: LogSink) -> Self {
        self.sink = sink;
        self
    }

    /// Starts the process and waits for its first poll.
    ///
    /// The caller must be in a tokio runtime with I/O and time, which serves the Runtime
    /// API while the sandbox lives.
    ///
    /// # Errors
    /// When the binary cannot be started, exits or reports an error before its first poll,
    /// or exceeds the timeout. The error carries the process's output.
    pub async fn start(self) -> Result<Sandbox, StartError> {
        let binary = std::path::absolute(&self.binary).map_err(StartError::Setup)?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(StartError::Setup)?;
        let address = listener.local_addr().map_err(StartError::Setup)?;
        let environment = self.full_environment(&binary, address);
        let log = Arc::new(Log::new(self.sink.clone(), &self.name).map_err(StartError::Setup)?);

        let arn =
            format!("arn:aws:lambda:{}:{ACCOUNT_ID}:function:{}", self.region().to_string_lossy(), self.name);
        let api = Arc::new(Api::new(arn));
        let mut phase = api.phase();

        let mut command = Command::new(&binary);
        command
            .env_clear()
            .envs(&environment)
            .stdin(Stdio::null())
            .stdout(log.stdio().map_err(StartError::Setup)?)
            .stderr(log.stdio().map_err(StartError::Setup)?)
            .kill_on_drop(true);
        if let Some(folder) = binary.parent() {
            command.current_dir(folder);
        }
        let spawned = Instant::now();
        let mut child =
            command.spawn().map_err(|source| StartError::Spawn { path: binary.clone(), source })?;
        let Some(pid) = child.id() else {
            return Err(StartError::Setup(io::Error::other("the process has no id")));
        };
        api.set_pid(pid);
        let mut background = JoinSet::new();
        let router = api.clone().router();
        background.spawn(async move {
            // Ends with the set; a listener on loopback has no other end.
            let _ = axum::serve(listener, router).await;
        });
        background.spawn(log.clone().follow());

        let ready = phase.wait_for(|phase| !matches!(phase, Phase::Starting));
        let start = tokio::select! {
            biased;
            ready = ready => StartOutcome::Phase(ready.map_or(Phase::Starting, |phase| phase.clone())),
            status = child.wait() => StartOutcome::Ended(status.map_err(StartError::Setup)?.into()),
            () = tokio::time::sleep(self.init_timeout) => StartOutcome::TimedOut,
        };
        match start {
            StartOutcome::Phase(Phase::Ready(at)) => {
                let init = at.saturating_duration_since(spawned);
                Ok(Sandbox::new(child, pid, api, log, background, self.timeout, init))
            }
            StartOutcome::Phase(Phase::Failed(InvocationOutcome::FunctionError {
                kind, message, ..
            })) => {
                // The process is about to exit and may write more.
                let _ = tokio::time::timeout(Duration::from_millis(500), child.wait()).await;
                Err(StartError::Init { kind, message, logs: log.lines() })
            }
            StartOutcome::Ended(ExitInfo { code, signal }) => {
                Err(StartError::Exited { code, signal, logs: log.lines() })
            }
            StartOutcome::Phase(_) | StartOutcome::TimedOut => {
                Err(StartError::TimedOut { after: self.init_timeout, logs: log.lines() })
            }
        }
    }

    pub(crate) fn region(&self) -> &OsStr {
        let region = self.environment.get(OsStr::new("AWS_REGION"));
        region.and_then(Option::as_deref).unwrap_or(OsStr::new("us-east-1"))
    }

    /// The variables that Lambda sets, then those of the configuration.
    fn full_environment(&self, binary: &Path, api: SocketAddr) -> BTreeMap<OsString, OsString> {
        let folder = binary.parent().unwrap_or(Path::new("/"));
        let lambda: [(&str, OsString); 18] = [
            ("AWS_ACCESS_KEY_ID", "local".into()),
            ("AWS_DEFAULT_REGION", self.region().into()),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", self.memory_mb.to_string().into()),
            ("AWS_LAMBDA_FUNCTION_NAME", self.name.clone().into()),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".into()),
            ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand".into()),
            ("AWS_LAMBDA_LOG_GROUP_NAME", format!("/aws/lambda/{}", self.name).into()),
            ("AWS_LAMBDA_LOG_STREAM_NAME", ids::log_stream_name().into()),
            ("AWS_LAMBDA_RUNTIME_API", api.to_string().into()),
            ("AWS_REGION", self.region().into()),
            ("AWS_SECRET_ACCESS_KEY", "local".into()),
            ("AWS_SESSION_TOKEN", "local".into()),
            ("LAMBDA_RUNTIME_DIR", "/var/runtime".into()),
            ("LAMBDA_TASK_ROOT", folder.into()),
            ("LANG", "en_US.UTF-8".into()),
            ("PATH", "/usr/local/bin:/usr/bin/:/bin:/opt/bin".into()),
            ("TZ", ":UTC".into()),
            ("_HANDLER", "bootstrap".into()),
        ];
        let mut environment: BTreeMap<_, _> =
            lambda.into_iter().map(|(key, value)| (key.into(), value)).collect();
        for (key, value) in &self.environment {
            match value {
                Some(value) => environment.insert(key.clone(), value.clone()),
                None => environment.remove(key),
            };
        }
        environment
    }
}

enum StartOutcome {
    Phase(Phase),
    Ended(ExitInfo),
    TimedOut,
}
