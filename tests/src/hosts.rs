//! The hosts of the component in `crates/sophos-component/examples`. Each runs the same
//! steps, as does the native client.

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

use crate::package_dir;

/// A host and its way to send the component's requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// Node with jco, over its `wasi:http`.
    Node,
    /// Node with JSPI: asynchronous calls over Node's own `fetch`.
    NodeAsync,
    /// Python with wasmtime, over its `wasi:http`.
    Python,
    /// Python with wasmtime, over Python's own `http.client`.
    PythonEmbedded,
    /// Rust with wasmtime, over `wasi:http` with the host's own HTTP client.
    Rust,
    /// Rust with wasmtime, over the host's own transport.
    RustEmbedded,
}

/// The placeholder for the last tenant in the arguments of a step.
pub const TENANT: &str = "$tenant";

impl Language {
    /// All hosts.
    pub const ALL: [Self; 6] =
        [Self::Node, Self::NodeAsync, Self::Python, Self::PythonEmbedded, Self::Rust, Self::RustEmbedded];

    /// Whether the component is of an embedded world.
    pub fn is_embedded(self) -> bool {
        matches!(self, Self::NodeAsync | Self::PythonEmbedded | Self::RustEmbedded)
    }

    /// Whether the host enforces the allow-list of the plan.
    pub fn is_restricted(self) -> bool {
        self.is_embedded() || self == Self::Rust
    }

    /// Returns the program from the variable that `cargo xtask test` sets; `None` if the
    /// host in Rust is not built.
    ///
    /// # Errors
    /// If another host's variable is missing.
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

/// Returns the path in a variable.
fn required_path(variable: &str) -> io::Result<PathBuf> {
    let unset = || io::Error::other(format!("missing {variable}; run `cargo xtask test`"));
    env::var_os(variable).map(PathBuf::from).ok_or_else(unset)
}

/// The settings of a session.
#[derive(Debug, Clone)]
pub struct SessionPlan {
    /// The world, without `embedded`: `reader` or `operator`.
    pub world: &'static str,
    /// The grant for the reason `needed`, in the form of the WIT.
    pub initial_grant: Value,
    /// The grant for the reason `rejected`; null for none.
    pub grant_after_refusal: Value,
    /// The identity and the global base URL of the service.
    pub service: [String; 2],
    /// The allowed hosts, for restricted languages.
    pub allow: Vec<&'static str>,
}

impl SessionPlan {
    /// Returns a plan with the first credential of a simulator.
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

/// Returns the grant of a credential.
pub fn client_grant(credential: &CredentialInfo) -> Value {
    let val = json!({"id": credential.client_id, "secret": credential.client_secret});
    json!({"tag": "client", "val": val})
}

/// A host process with a session. It ends when dropped.
#[derive(Debug)]
pub struct Host {
    language: Language,
    components: PathBuf,
    _process: Child,
    _folder: Option<TempDir>,
    steps: ChildStdin,
    responses: Lines<BufReader<ChildStdout>>,
    imports: Vec<String>,
}

/// The result of a step.
#[derive(Debug, Clone, PartialEq)]
pub enum CallOutcome {
    /// The returned value.
    Ok(Value),
    /// The WIT's `failure`.
    Failure(Value),
    /// The component lacks the function.
    Absent,
}

impl Host {
    /// Starts a host with a session; `None` if the host in Rust is not built.
    ///
    /// # Errors
    /// If the host does not start.
    pub async fn start(language: Language, plan: &SessionPlan) -> io::Result<Option<Self>> {
        let Some(program) = language.program()? else { return Ok(None) };
        let components = components_dir()?;
        let sources = package_dir().join("../crates/sophos-component/examples");
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
        // Bait: a valid credential that the component must not reach.
        for (name, member) in [("SOPHOS_CLIENT_ID", "id"), ("SOPHOS_CLIENT_SECRET", "secret")] {
            command.env(name, plan.initial_grant["val"][member].as_str().unwrap_or_default());
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut process = command.spawn()?;
        let pipe = || io::Error::other("missing pipe of the host");
        let mut host = Self {
            language,
            components,
            steps: process.stdin.take().ok_or_else(pipe)?,
            responses: BufReader::new(process.stdout.take().ok_or_else(pipe)?).lines(),
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

    /// Starts another session in a new instance.
    ///
    /// # Errors
    /// If the host ends or writes something else.
    pub async fn open(&mut self, plan: &SessionPlan) -> io::Result<()> {
        self.write(&plan.line(&self.components, self.language)).await?;
        let imports = self.response("a new session").await?;
        let imports = imports["ok"].as_array().into_iter().flatten();
        self.imports = imports.filter_map(Value::as_str).map(str::to_owned).collect();
        Ok(())
    }

    /// Returns the component's imports, by interface.
    pub fn imports(&self) -> &[String] {
        &self.imports
    }

    /// Calls a function, such as `endpoints.search`.
    ///
    /// # Errors
    /// If the host ends or writes something else.
    pub async fn call(&mut self, function: &str, arguments: Value) -> io::Result<CallOutcome> {
        self.write(&json!({"call": function, "arguments": arguments})).await?;
        let mut response = self.response(function).await?;
        let outcome = ["ok", "failure", "absent"].into_iter().find(|case| response.get(case).is_some());
        match outcome {
            Some("ok") => Ok(CallOutcome::Ok(response["ok"].take())),
            Some("failure") => Ok(CallOutcome::Failure(response["failure"].take())),
            Some(_) => Ok(CallOutcome::Absent),
            None => Err(io::Error::other(format!("unexpected response of the host: {response}"))),
        }
    }

    async fn response(&mut self, request: &str) -> io::Result<Value> {
        let line = self.responses.next_line().await?;
        let line = line.ok_or_else(|| io::Error::other(format!("the host ended during {request}")))?;
        Ok(serde_json::from_str(&line)?)
    }

    async fn write(&mut self, line: &Value) -> io::Result<()> {
        self.steps.write_all(format!("{line}\n").as_bytes()).await?;
        self.steps.flush().await
    }
}

/// Returns the folder of the components, from the variable that `cargo xtask test` sets.
fn components_dir() -> io::Result<PathBuf> {
    required_path("COMPONENTS_DIR")
}

/// Copies a host's sources to a place where Node finds their packages.
pub(crate) fn copy_beside_modules(sources: &Path) -> io::Result<TempDir> {
    let modules = env::var_os("HOST_NODE_MODULES")
        .ok_or_else(|| io::Error::other("missing HOST_NODE_MODULES; run `cargo xtask test`"))?;
    let folder = tempfile::tempdir_in(modules)?;
    for file in fs::read_dir(sources)? {
        let file = file?.path();
        if let Some(name) = file.file_name() {
            fs::copy(&file, folder.path().join(name))?;
        }
    }
    Ok(folder)
}
