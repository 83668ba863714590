//! Hosts of the component in other languages, from `tests/hosts`: each carries
//! out steps that it is told, so that all can be told the same, and the native
//! client beside them.

mod compare;
pub mod confined;
pub mod gateway;
pub mod native;
pub mod player;
pub mod scenario;

use std::{
    env, fs, io,
    path::{Path, PathBuf},
    process::Stdio,
};

use serde_json::{Value, json};
use sophos_simulator::{CredentialInfo, Simulator};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
};

/// A host in another language, and how it carries the component's requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// Node with jco, over its `wasi:http`.
    Node,
    /// Node with JSPI: every call a promise, over Node's own `fetch`.
    NodeAsync,
    /// Python with wasmtime, over its `wasi:http`.
    Python,
    /// Python with wasmtime, over Python's own `http.client`.
    PythonEmbedded,
    /// Rust with wasmtime, over `wasi:http` that this host carries itself.
    Rust,
    /// Rust with wasmtime, over the host's own transport.
    RustEmbedded,
}

/// What stands in place of the tenant among the arguments of a step: the last one
/// that was seen.
pub const TENANT: &str = "$tenant";

impl Language {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Node, Self::NodeAsync, Self::Python, Self::PythonEmbedded, Self::Rust, Self::RustEmbedded];

    /// Whether the host carries the requests by its own means.
    pub fn is_embedded(self) -> bool {
        matches!(self, Self::NodeAsync | Self::PythonEmbedded | Self::RustEmbedded)
    }

    /// Whether the host lets requests out to the hosts of the plan only.
    pub fn is_restricted(self) -> bool {
        self.is_embedded() || self == Self::Rust
    }

    /// The program, by the variable that `cargo xtask test` sets for it; `None` for that
    /// in Rust, which is built on request.
    ///
    /// # Errors
    /// When another is not set.
    fn program(self) -> io::Result<Option<PathBuf>> {
        let variable = match self {
            Self::Node => "HOST_NODE",
            Self::NodeAsync => "HOST_NODE_ASYNC",
            Self::Python | Self::PythonEmbedded => "HOST_PYTHON",
            Self::Rust | Self::RustEmbedded => return Ok(env::var_os("HOST_RUST").map(PathBuf::from)),
        };
        required_path(variable).map(Some)
    }
}

/// What a variable names.
fn required_path(variable: &str) -> io::Result<PathBuf> {
    let unset = || io::Error::other(format!("{variable} is not set; run `cargo xtask test`"));
    env::var_os(variable).map(PathBuf::from).ok_or_else(unset)
}

/// What a session of a host is made with.
#[derive(Debug, Clone)]
pub struct SessionPlan {
    /// The world, without `embedded`: `reader` or `operator`.
    pub world: &'static str,
    /// The grant when one is needed, as the WIT has it.
    pub initial_grant: Value,
    /// The grant when that was refused; null for none.
    pub grant_after_refusal: Value,
    /// Where the service is: its identity and global addresses.
    pub service: [String; 2],
    /// The hosts that may be reached, where the language is restricted.
    pub allow: Vec<&'static str>,
}

impl SessionPlan {
    /// A session with the first credential of a simulator.
    pub fn new(simulator: &Simulator) -> Self {
        Self {
            world: "operator",
            initial_grant: client_grant(&simulator.credentials()[0]),
            grant_after_refusal: Value::Null,
            service: [simulator.identity_url(), simulator.global_url()],
            allow: vec!["127.0.0.1"],
        }
    }

    fn line(&self, components: &Path, language: Language) -> Value {
        let world = match (language.is_embedded(), self.world) {
            (false, world) => world,
            (true, "operator") => "embedded",
            (true, _) => "embedded-reader",
        };
        json!({
            "component": components.join(world).with_extension("wasm"),
            "transport": if language.is_embedded() { "host" } else { "wasi" },
            "service": {"identity": self.service[0], "global": self.service[1]},
            "grants": {"needed": self.initial_grant, "rejected": self.grant_after_refusal},
            "allow": self.allow,
        })
    }
}

/// The grant that a credential is.
pub fn client_grant(credential: &CredentialInfo) -> Value {
    let val = json!({"id": credential.client_id, "secret": credential.client_secret});
    json!({"tag": "client", "val": val})
}

/// A host with a session. Ends when dropped.
#[derive(Debug)]
pub struct Host {
    language: Language,
    components: PathBuf,
    _process: Child,
    _folder: Option<TempDir>,
    steps: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
    imports: Vec<String>,
}

/// What a component made of a step.
#[derive(Debug, Clone, PartialEq)]
pub enum CallOutcome {
    /// What it returned.
    Ok(Value),
    /// The WIT's `failure`.
    Failure(Value),
    /// It has no such function.
    Absent,
}

impl Host {
    /// A host with a session; `None` for that in Rust where it is not built.
    ///
    /// # Errors
    /// When the host cannot be started.
    pub async fn start(language: Language, plan: &SessionPlan) -> io::Result<Option<Self>> {
        let Some(program) = language.program()? else { return Ok(None) };
        let components = components_dir()?;
        let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("hosts");
        let mut command = Command::new(program);
        let folder = match language {
            Language::Node | Language::NodeAsync => {
                let folder = copy_beside_modules(&sources.join("node"))?;
                command.arg("--no-warnings").arg(folder.path().join("run.mjs"));
                Some(folder)
            }
            Language::Python | Language::PythonEmbedded => {
                command.arg("-B").arg(sources.join("python/run.py"));
                None
            }
            Language::Rust | Language::RustEmbedded => None,
        };
        // Bait: all that it takes to be let in, and none of the component's business.
        for (name, member) in [("SOPHOS_CLIENT_ID", "id"), ("SOPHOS_CLIENT_SECRET", "secret")] {
            command.env(name, plan.initial_grant["val"][member].as_str().unwrap_or_default());
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut process = command.spawn()?;
        let pipe = || io::Error::other("the host has no pipe");
        let mut host = Self {
            language,
            components,
            steps: process.stdin.take().ok_or_else(pipe)?,
            answers: BufReader::new(process.stdout.take().ok_or_else(pipe)?).lines(),
            imports: Vec::new(),
            _folder: folder,
            _process: process,
        };
        host.open(plan).await?;
        Ok(Some(host))
    }

    /// The language.
    pub fn language(&self) -> Language {
        self.language
    }

    /// Begins another session, in an instance of its own.
    ///
    /// # Errors
    /// When the host ended or wrote something else.
    pub async fn open(&mut self, plan: &SessionPlan) -> io::Result<()> {
        self.write(&plan.line(&self.components, self.language)).await?;
        let imports = self.answer("a new session").await?;
        let imports = imports["ok"].as_array().into_iter().flatten();
        self.imports = imports.filter_map(Value::as_str).map(str::to_owned).collect();
        Ok(())
    }

    /// All that the component has of its host, by interface.
    pub fn imports(&self) -> &[String] {
        &self.imports
    }

    /// Calls a function, such as `endpoints.search`.
    ///
    /// # Errors
    /// When the host ended or wrote something else.
    pub async fn call(&mut self, function: &str, arguments: Value) -> io::Result<CallOutcome> {
        self.write(&json!({"call": function, "arguments": arguments})).await?;
        let mut answer = self.answer(function).await?;
        let outcome = ["ok", "failure", "absent"].into_iter().find(|case| answer.get(case).is_some());
        match outcome {
            Some("ok") => Ok(CallOutcome::Ok(answer["ok"].take())),
            Some("failure") => Ok(CallOutcome::Failure(answer["failure"].take())),
            Some(_) => Ok(CallOutcome::Absent),
            None => Err(io::Error::other(format!("the host answered {answer}"))),
        }
    }

    async fn answer(&mut self, what: &str) -> io::Result<Value> {
        let line = self.answers.next_line().await?;
        let line = line.ok_or_else(|| io::Error::other(format!("the host ended in {what}")))?;
        Ok(serde_json::from_str(&line)?)
    }

    async fn write(&mut self, line: &Value) -> io::Result<()> {
        self.steps.write_all(format!("{line}\n").as_bytes()).await?;
        self.steps.flush().await
    }
}

/// The folder of the components, by the variable that `cargo xtask test` sets.
fn components_dir() -> io::Result<PathBuf> {
    required_path("COMPONENTS_DIR")
}

/// A copy of a host's sources where Node finds the modules that they import.
pub(crate) fn copy_beside_modules(sources: &Path) -> io::Result<TempDir> {
    let modules = env::var_os("HOST_NODE_MODULES")
        .ok_or_else(|| io::Error::other("HOST_NODE_MODULES names no folder"))?;
    let folder = tempfile::tempdir_in(modules)?;
    for file in fs::read_dir(sources)? {
        let file = file?.path();
        if let Some(name) = file.file_name() {
            fs::copy(&file, folder.path().join(name))?;
        }
    }
    Ok(folder)
}
