//! A simulator in a thread of its own, and the environment that points `sophos` at it.
#![allow(dead_code, reason = "each test file uses a part")]

use std::{
    collections::BTreeMap,
    path::Path,
    process::{Command, Output},
    sync::Arc,
};

use sophos_simulator::{
    ClockConfig, Config, DataConfig, IsolationConfig, MachineConfig, Owner, Platform, Simulator, TenantGroup,
};
use tempfile::TempDir;

/// A running simulator and an empty home directory.
pub(crate) struct Fixture {
    pub(crate) simulator: Arc<Simulator>,
    pub(crate) home: TempDir,
    _runtime: tokio::runtime::Runtime,
}

impl Fixture {
    /// Two tenants of a partner, one of an organization, one on its own; the time stands
    /// still. `endpoints` is the number of generated ones of the first tenant.
    pub(crate) fn start(endpoints: u64) -> Self {
        Self::start_at(endpoints, Some("2026-11-23T10:00:00Z"))
    }

    /// The same, at this time, or at the present one.
    pub(crate) fn start_at(endpoints: u64, time: Option<&str>) -> Self {
        Self::start_with_clock(
            endpoints,
            ClockConfig { start: time.map(str::to_owned), running: time.is_none() },
        )
    }

    /// The same, with this clock. Queries end only while it runs.
    pub(crate) fn start_with_clock(endpoints: u64, clock: ClockConfig) -> Self {
        let tenant = |name: &str, owner, endpoints| TenantGroup {
            name: Some(name.to_owned()),
            endpoints: Some(endpoints),
            events_per_hour: Some(1.0),
            alerts_per_hour: Some(0.5),
            history_hours: Some(12.0),
            ..TenantGroup::new(owner, 1)
        };
        let machine = |tenant: &str, hostname: &str| MachineConfig {
            hostname: Some(hostname.to_owned()),
            online: Some(true),
            ..MachineConfig::new(tenant)
        };
        let config = Config {
            clock,
            tenants: vec![
                tenant("Acme", Owner::Partner, endpoints),
                TenantGroup { platform: Platform::Fusion, ..tenant("Globex", Owner::Partner, 2) },
                tenant("Initech", Owner::Organization, 2),
                tenant("Umbrella", Owner::Standalone, 2),
            ],
            machines: vec![
                machine("Acme", "LAPTOP-4711"),
                machine("Acme", "=HYPERLINK(1)"),
                machine("Globex", "TWIN"),
                machine("Globex", "TWIN"),
            ],
            data: DataConfig { late_share: 0.0, repeat_share: 0.0, ..DataConfig::default() },
            isolation: IsolationConfig { report_delay_seconds: 0 },
            ..Config::default()
        };
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let simulator = runtime.block_on(Simulator::start(config)).expect("the simulator starts");
        Self {
            simulator: Arc::new(simulator),
            home: tempfile::tempdir().expect("a folder"),
            _runtime: runtime,
        }
    }

    /// The variables for a credential of this type (`partner`, `organization`, `tenant`).
    pub(crate) fn environment(&self, id_type: &str) -> BTreeMap<&'static str, String> {
        self.environment_of_role(id_type, "super_admin")
    }

    /// The variables for a credential of this type and role.
    pub(crate) fn environment_of_role(&self, id_type: &str, role: &str) -> BTreeMap<&'static str, String> {
        let credentials = self.simulator.credentials();
        let found = credentials
            .iter()
            .find(|credential| credential.id_type == id_type && credential.role == role)
            .or_else(|| credentials.iter().find(|credential| credential.id_type == id_type));
        let credential = found.expect("a credential of the type");
        BTreeMap::from([
            ("HOME", self.home.path().display().to_string()),
            ("XDG_CONFIG_HOME", self.home.path().join("config").display().to_string()),
            ("XDG_CACHE_HOME", self.home.path().join("cache").display().to_string()),
            ("SOPHOS_IDENTITY_URL", self.simulator.identity_url()),
            ("SOPHOS_GLOBAL_URL", self.simulator.global_url()),
            ("SOPHOS_FUSION_URL", self.simulator.fusion_url()),
            ("SOPHOS_CLIENT_ID", credential.client_id.clone()),
            ("SOPHOS_CLIENT_SECRET", credential.client_secret.clone()),
            ("SOPHOS_RATE_LIMIT", "unlimited".to_owned()),
        ])
    }

    /// Runs `sophos` without a terminal, with a partner's credential.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_sophos"))
            .args(arguments)
            .env_clear()
            .envs(self.environment("partner"))
            .output()
            .expect("sophos runs")
    }
}

/// The golden tests of a folder below `tests/cmd`, or of one file there. `TRYCMD=overwrite`
/// writes what the program prints into them.
pub(crate) fn golden(fixture: &Fixture, path: &str, environment: &BTreeMap<&'static str, String>) {
    let region = |name: &str| fixture.simulator.region_url(name).expect("a region");
    let variables = [
        ("[IDENTITY]", fixture.simulator.identity_url()),
        ("[GLOBAL]", fixture.simulator.global_url()),
        ("[EUROPE]", region("eu01")),
        ("[AMERICA]", region("us01")),
        ("[FUSION]", fixture.simulator.fusion_url()),
        ("[HOME]", fixture.home.path().display().to_string()),
    ];
    let cases = trycmd::TestCases::new();
    cases.register_bin("sophos", Path::new(env!("CARGO_BIN_EXE_sophos")));
    for (name, value) in environment {
        cases.env(*name, value);
    }
    for (name, value) in variables {
        cases.insert_var(name, value.clone()).expect("a valid variable");
    }
    let pattern = if path.ends_with(".trycmd") { path.to_owned() } else { format!("{path}/*.trycmd") };
    cases.case(format!("tests/cmd/{pattern}"));
    cases.run();
}

pub(crate) fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
