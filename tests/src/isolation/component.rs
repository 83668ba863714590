//! The webhook as a component, in a host process.

use std::{
    env, fs,
    io::{self, ErrorKind},
    path::{Path, PathBuf},
    process::Stdio,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use local_lambda::LogSink;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncWriteExt, BufReader},
    process::{Child, ChildStdin, Command},
    sync::mpsc,
    time::timeout,
};

use super::IsolationEnv;
use crate::{hosts::copy_beside_modules, package_dir};

/// The maximum time for a host to compile the component or to run a command, on a busy machine.
const HOST_TIMEOUT: Duration = Duration::from_secs(120);

/// The server that hosts the component.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HostServer {
    /// Python's HTTP server, through `decisions.receive`, with an instance for each
    /// request.
    Python,
    /// A `wasi:http` server in Node, with one instance.
    Node,
    /// A `wasi:http` server in Rust, with an instance for each request.
    Rust,
}

impl HostServer {
    /// All servers.
    pub const ALL: [Self; 3] = [Self::Python, Self::Node, Self::Rust];

    /// The program, if it is installed, and its temporary folder.
    fn command(self) -> io::Result<Option<(Command, Option<TempDir>)>> {
        let hosts = package_dir().join("../crates/sophos-component/examples");
        match self {
            Self::Python => Ok(env_path("HOST_PYTHON").map(|python| {
                let mut command = Command::new(python);
                command.arg("-B").arg(hosts.join("python/run_webhook.py"));
                (command, None)
            })),
            Self::Node => {
                let Some(node) = env_path("HOST_NODE") else { return Ok(None) };
                let folder = copy_beside_modules(&hosts.join("node"))?;
                let mut command = Command::new(node);
                command.arg("--no-warnings").arg(folder.path().join("run-webhook.mjs"));
                Ok(Some((command, Some(folder))))
            }
            Self::Rust => {
                let program = env_path("HOST_RUST").map(|program| program.with_file_name("run-webhook"));
                Ok(program.map(|program| (Command::new(program), None)))
            }
        }
    }
}

/// The component in a server process. Dropping it ends the process.
#[derive(Debug)]
pub struct ComponentWebhook {
    url: String,
    folder: PathBuf,
    commands: ChildStdin,
    answers: mpsc::UnboundedReceiver<Value>,
    audit_records: Arc<Mutex<Vec<Value>>>,
    _process: Child,
    _sources: Option<TempDir>,
}

impl IsolationEnv {
    /// Starts the webhook as a component over this environment's ledger, if its host is
    /// installed; otherwise prints the reason. With a queue it enqueues decisions, without
    /// one it isolates inline.
    ///
    /// # Errors
    /// When the host cannot be started.
    pub async fn start_component(
        &self,
        server: HostServer,
        has_queue: bool,
    ) -> io::Result<Option<ComponentWebhook>> {
        let Some(components) = env_path("COMPONENTS_DIR") else { return Ok(None) };
        let Some((mut command, sources)) = server.command()? else { return Ok(None) };
        let path = |file: &str| self.folder.join(file);
        let settings = json!({
            "component": Path::new(&components).join("webhook.wasm"),
            "service": {"identity": self.simulator.identity_url(), "global": self.simulator.global_url()},
            "policy": path("policy.toml"),
            "secrets": path("secrets.toml"),
            "ledger": self.files,
            "outcomes": path("outcomes.jsonl"),
            "queue": has_queue.then(|| path("queue.jsonl")),
        });
        self.leak_detector.add_credentials(&self.simulator.credentials());
        command.env("SOPHOS_CLIENT_ID", &self.credential.client_id);
        command.env("SOPHOS_CLIENT_SECRET", &self.credential.client_secret);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut webhook =
            ComponentWebhook::start(command, &settings, &self.folder, self.leak_detector.sink()).await?;
        webhook._sources = sources;
        Ok(Some(webhook))
    }
}

fn env_path(name: &str) -> Option<PathBuf> {
    let value = env::var_os(name).map(PathBuf::from);
    if value.is_none() {
        println!("skipped: {name} is not set; `cargo xtask test` sets it");
    }
    value
}

impl ComponentWebhook {
    async fn start(mut command: Command, settings: &Value, folder: &Path, sink: LogSink) -> io::Result<Self> {
        let mut process = command.spawn()?;
        let pipe = || io::Error::other("the host has no pipe");
        let orders = process.stdin.take().ok_or_else(pipe)?;
        let output = process.stdout.take().ok_or_else(pipe)?;
        let errors = process.stderr.take().ok_or_else(pipe)?;
        let (sender, answers) = mpsc::unbounded_channel();
        let notices = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&notices);
        let shared = sink.clone();
        spawn_line_reader(output, move |line| {
            forward_line(&shared, line);
            match serde_json::from_str::<Value>(line) {
                Ok(mut line) if line.get("audit_record").is_some() => {
                    noted.lock().unwrap_or_else(PoisonError::into_inner).push(line["audit_record"].take());
                }
                // A caller that waits for a response sees the end of the
                // channel.
                Ok(response) => drop(sender.send(response)),
                Err(_) => println!("the host: {line}"),
            }
        });
        spawn_line_reader(errors, move |line| {
            forward_line(&sink, line);
            println!("the host: {line}");
        });
        let folder = folder.to_owned();
        let mut host = Self {
            url: String::new(),
            folder,
            commands: orders,
            answers,
            audit_records: notices,
            _process: process,
            _sources: None,
        };
        let listening = host.send_command(settings).await?;
        host.url = listening["listening"].as_str().ok_or_else(|| unexpected(&listening))?.to_owned();
        Ok(host)
    }

    /// The base URL.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Calls a function of the WIT interface `decisions`, such as `follow-up`.
    ///
    /// # Errors
    /// With the component's error, or when the host has ended.
    pub async fn call(&mut self, function: &str, arguments: Value) -> io::Result<Value> {
        let mut response = self.send_command(&json!({"call": function, "arguments": arguments})).await?;
        match response.get("ok") {
            Some(_) => Ok(response["ok"].take()),
            None => Err(unexpected(&response)),
        }
    }

    /// Takes the audit records written since the last call.
    ///
    /// # Errors
    /// When the host has ended.
    pub async fn take_audit_records(&mut self) -> io::Result<Vec<Value>> {
        // The host's output up to a response is read before the response.
        self.send_command(&json!({"call": "check-policy", "arguments": [""]})).await?;
        Ok(std::mem::take(&mut *self.audit_records.lock().unwrap_or_else(PoisonError::into_inner)))
    }

    /// The published outcomes.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn outcomes(&self) -> io::Result<Vec<Value>> {
        read_json_lines(&self.folder.join("outcomes.jsonl"))
    }

    /// The lists of decisions that the component enqueued.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn queued_decisions(&self) -> io::Result<Vec<Value>> {
        read_json_lines(&self.folder.join("queue.jsonl"))
    }

    async fn send_command(&mut self, line: &Value) -> io::Result<Value> {
        self.commands.write_all(format!("{line}\n").as_bytes()).await?;
        self.commands.flush().await?;
        let response = timeout(HOST_TIMEOUT, self.answers.recv()).await;
        let response = response.map_err(|_| io::Error::from(ErrorKind::TimedOut))?;
        response.ok_or_else(|| io::Error::other("the host has ended"))
    }
}

fn unexpected(response: &Value) -> io::Error {
    io::Error::other(response["failure"].as_str().map_or_else(|| response.to_string(), str::to_owned))
}

fn forward_line(sink: &LogSink, line: &str) {
    if let LogSink::Callback(call) = sink {
        call(line);
    }
}

fn spawn_line_reader(from: impl AsyncRead + Unpin + Send + 'static, what: impl Fn(&str) + Send + 'static) {
    tokio::spawn(async move {
        let mut lines = BufReader::new(from).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            what(&line);
        }
    });
}

fn read_json_lines(file: &Path) -> io::Result<Vec<Value>> {
    match fs::read_to_string(file) {
        Ok(text) => text.lines().map(|line| serde_json::from_str(line).map_err(Into::into)).collect(),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}
