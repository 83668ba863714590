//! The built program against a simulator in this process.

// Each test file is a crate, and uses a part of this module.
#![allow(dead_code)]

pub(crate) mod committed;
pub(crate) mod local_webhook;
pub(crate) mod stored_credentials;

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;
use sophos_simulator::{
    Config, CredentialConfig, CredentialInfo, IsolationConfig, MachineConfig, Owner, Role, Simulator,
    TenantGroup,
};
use tempfile::TempDir;

pub(crate) const TENANT: &str = "0afef0e6-5df7-4cc0-b8d4-068cfd6820d1";
pub(crate) const INSTANCE: &str = "i-0a1b2c3d4e5f60718";

/// The longest wait for another process.
const WAIT_TIMEOUT: Duration = Duration::from_secs(120);

/// A simulator, the first of its credentials, and a folder.
pub(crate) struct TestEnv {
    pub(crate) simulator: Simulator,
    pub(crate) credential: CredentialInfo,
    folder: TempDir,
}

/// A process that ends with the test, also if the test fails.
#[derive(Debug)]
pub(crate) struct Running(Option<Child>);

impl Running {
    pub(crate) fn start(mut command: Command) -> Self {
        Self(Some(command.spawn().expect("the program")))
    }

    /// The process.
    pub(crate) fn child(&mut self) -> &mut Child {
        self.0.as_mut().expect("a running process")
    }

    /// Takes the process, to wait for its end.
    pub(crate) fn into_child(mut self) -> Child {
        self.0.take().expect("a running process")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// The end of a command.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ended {
    /// The records on standard output, one per line.
    pub(crate) fn records(&self) -> Vec<Value> {
        self.stdout.lines().map(|line| serde_json::from_str(line).expect("a record")).collect()
    }

    /// The only record.
    pub(crate) fn record(&self) -> Value {
        let mut records = self.records();
        assert_eq!(records.len(), 1, "{self:?}");
        records.remove(0)
    }

    /// Checks the exit code.
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}\n{}", self.stdout, self.stderr);
        self
    }
}

impl TestEnv {
    /// Starts a simulator with this configuration.
    pub(crate) async fn start(config: Config) -> Self {
        let simulator = Simulator::start(config).await.expect("a simulator");
        let credential = simulator.credentials().remove(0);
        Self { simulator, credential, folder: tempfile::tempdir().expect("a folder") }
    }

    /// Starts a simulator with a tenant whose machines have known names.
    pub(crate) async fn with_machines() -> Self {
        let machine = |name: &str| MachineConfig::computer(TENANT, name);
        let instance = MachineConfig { cloud_instance: Some(INSTANCE.into()), ..machine("build-agent-7") };
        let machines = ["LAPTOP-4711", "BOSS-PC", "DC01", "FRONTDESK", "FRONTDESK"].map(machine);
        let tenant = TenantGroup {
            id: Some(TENANT.into()),
            endpoints: Some(20),
            ..TenantGroup::new(Owner::Standalone, 1)
        };
        let env = Self::start(Config {
            clock: sophos_simulator::ClockConfig { start: None, running: true },
            tenants: vec![tenant],
            credentials: vec![CredentialConfig::for_tenant(TENANT, Role::Management)],
            machines: machines.into_iter().chain([instance]).collect(),
            isolation: IsolationConfig { report_delay_seconds: 0 },
            ..Config::default()
        })
        .await;
        fs::copy(fixture("policy.toml"), env.path("policy.toml")).expect("a policy");
        env
    }

    /// A path in the folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The same as text.
    pub(crate) fn arg(&self, name: &str) -> String {
        self.path(name).to_string_lossy().into_owned()
    }

    /// Writes a file that only its owner may read.
    pub(crate) fn write_private(&self, name: &str, text: &str) -> String {
        fs::write(self.path(name), text).expect("a file");
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(0o600)).expect("a mode");
        self.arg(name)
    }

    /// The simulator's addresses and credential.
    pub(crate) fn variables(&self) -> [(&'static str, String); 6] {
        [
            ("HOME", self.arg("")),
            ("SOPHOS_CLIENT_ID", self.credential.client_id.clone()),
            ("SOPHOS_CLIENT_SECRET", self.credential.client_secret.clone()),
            ("SOPHOS_IDENTITY_URL", self.simulator.identity_url()),
            ("SOPHOS_GLOBAL_URL", self.simulator.global_url()),
            ("SOPHOS_RATE_LIMIT", "unlimited".to_owned()),
        ]
    }

    /// The program with the simulator's addresses and credential, and nothing else of this
    /// process's environment.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sophos"));
        command
            .args(args)
            .env_clear()
            .envs(self.variables())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs the program to its end. No secret may be in its output.
    pub(crate) async fn run(&self, args: &[&str]) -> Ended {
        self.wait(Running::start(self.command(args))).await
    }

    /// Waits for the end of the program.
    pub(crate) async fn wait(&self, running: Running) -> Ended {
        let child = running.into_child();
        let output = tokio::task::spawn_blocking(move || child.wait_with_output()).await.expect("no panic");
        let output = output.expect("an output");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
        let ended =
            Ended { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) };
        for credential in self.simulator.credentials() {
            let secret = &credential.client_secret;
            assert!(!ended.stdout.contains(secret) && !ended.stderr.contains(secret), "a secret leaked");
        }
        ended
    }
}

/// The path of a fixture.
pub(crate) fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pack_fixtures").join(name)
}

/// Sends a signal to a process that this test started.
pub(crate) fn signal(child: &Child, signal: &str) {
    let id = child.id().to_string();
    let status = Command::new("kill").args(["-s", signal, &id]).status().expect("kill");
    assert!(status.success());
}

/// Waits until another process has done something.
pub(crate) async fn wait_until(what: &str, mut is_done: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !is_done() {
        assert!(begin.elapsed() < WAIT_TIMEOUT, "{what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
