use std::{env, io, path::PathBuf, time::Duration};

use local_lambda::{InvocationOutcome, LambdaFunction, Sandbox};
use serde_json::{Value, json};
use sophos_simulator::{
    Config, CredentialInfo, CredentialKind, Dataset, Owner, Simulator, TenantInfo, TenantState,
};

use crate::{CommittedExport, Defect, leak_detector::LeakDetector};

/// A simulator, and the built function on a local Runtime API, configured by its environment.
#[derive(Debug)]
pub struct TestEnv {
    /// The simulator.
    pub simulator: Simulator,
    credential: CredentialInfo,
    leaks: LeakDetector,
}

impl TestEnv {
    /// Starts a simulator with this configuration, and selects its first credential of this
    /// kind.
    ///
    /// # Errors
    /// When the simulator does not start, or has no such credential.
    pub async fn start(config: Config, kind: CredentialKind) -> io::Result<Self> {
        let simulator = Simulator::start(config).await.map_err(io::Error::other)?;
        let credential =
            simulator.credentials().into_iter().find(|credential| credential.id_type == kind.as_str());
        let credential =
            credential.ok_or_else(|| io::Error::other("the simulator has no such credential"))?;
        let leaks = LeakDetector::default();
        leaks.add_credentials(&simulator.credentials());
        Ok(Self { simulator, credential, leaks })
    }

    /// The credential of the function.
    pub fn credential(&self) -> &CredentialInfo {
        &self.credential
    }

    /// The function that rotates credentials. Its output is searched for secrets and
    /// tokens.
    pub fn rotation_function(&self) -> LambdaFunction {
        self.configured_function("credential-rotation").timeout(Duration::from_secs(60))
    }

    /// A function with the simulator's addresses.
    fn configured_function(&self, name: &str) -> LambdaFunction {
        self.leaks.add_credentials(&self.simulator.credentials());
        self.leaks
            .watch(LambdaFunction::new(function_binary(name)))
            .name(name)
            .memory_mb(128)
            // A busy machine needs more than the default.
            .init_timeout(Duration::from_secs(60))
            .env("SOPHOS_IDENTITY_URL", self.simulator.identity_url())
            .env("SOPHOS_GLOBAL_URL", self.simulator.global_url())
            .env("SOPHOS_RATE_LIMIT", "unlimited")
    }

    /// The export function, with the output at `location` and without a rate limit. A
    /// secret or token in its output fails the test.
    pub fn export_function(&self, location: &str) -> LambdaFunction {
        self.configured_function("alert-export")
            .timeout(Duration::from_secs(300))
            .env("EXPORT_LOCATION", location)
            // The simulator's clock differs from the function's.
            .env("EXPORT_MAX_SERVICE_SKEW_SECONDS", "3155760000")
            .env("SOPHOS_CLIENT_ID", &self.credential.client_id)
            .env("SOPHOS_CLIENT_SECRET", &self.credential.client_secret)
    }

    /// The function that writes the export at `location` into a lake at `lake`.
    pub fn lake_function(&self, location: &str, lake: &str) -> LambdaFunction {
        self.configured_function("lake-writer")
            .timeout(Duration::from_secs(300))
            .env("EXPORT_LOCATION", location)
            .env("LAKE_LOCATION", lake)
            .env("LAKE_REGION", "eu-west-1")
    }

    /// The event of a schedule.
    pub fn schedule_event() -> Value {
        json!({
            "version": "0",
            "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa",
            "detail-type": "Scheduled Event",
            "source": "aws.events",
            "account": "123456789012",
            "time": "2026-11-23T10:00:00Z",
            "region": "eu-west-1",
            "resources": ["arn:aws:events:eu-west-1:123456789012:rule/export"],
            "detail": {},
        })
    }

    /// Invokes the export as a schedule does, and returns its report.
    ///
    /// # Errors
    /// With the function's output, if it does not return a report.
    pub async fn run_export(&self, sandbox: &mut Sandbox) -> io::Result<Value> {
        match sandbox.invoke(&Self::schedule_event()).await {
            InvocationOutcome::Ok(report) => Ok(report),
            other => Err(io::Error::other(format!("{other:?}\n{}", sandbox.logs().join("\n")))),
        }
    }

    /// The ids that the simulator served of a dataset: those of the feed, and those of the
    /// Common API, where alerts have the same ids.
    pub fn served_ids(&self, dataset: Dataset, tenant: &str) -> Vec<String> {
        let mut served = self.simulator.served(dataset, tenant);
        if dataset == Dataset::Alerts {
            served.extend(self.simulator.served(Dataset::CommonAlerts, tenant));
            served.sort_unstable();
            served.dedup();
        }
        served
    }

    /// The number of distinct records that the simulator served.
    pub fn total_served(&self) -> u64 {
        let tenants = self.simulator.tenants();
        let streams = tenants
            .iter()
            .flat_map(|tenant| [Dataset::Events, Dataset::Alerts].map(|dataset| (dataset, tenant)));
        streams.map(|(dataset, tenant)| self.served_ids(dataset, &tenant.id).len() as u64).sum()
    }

    /// Compares the committed rows with the served records: each exactly once, and no
    /// others.
    pub fn defects(&self, committed: &CommittedExport) -> Vec<Defect> {
        let mut defects = committed.defects().to_vec();
        for tenant in self.simulator.tenants() {
            for dataset in [Dataset::Events, Dataset::Alerts] {
                let served = self.served_ids(dataset, &tenant.id);
                defects.extend(committed.compare(dataset.as_str(), &tenant.id, &served));
            }
        }
        defects
    }

    fn reaches(&self, tenant: &TenantInfo) -> bool {
        match self.credential.id_type.as_str() {
            "partner" => matches!(tenant.owner, Owner::Partner | Owner::Both),
            "organization" => matches!(tenant.owner, Owner::Organization | Owner::Both),
            _ => tenant.id.eq_ignore_ascii_case(&self.credential.principal_id),
        }
    }

    /// The committed export must contain each record that the service received from
    /// `from_ms` on and that the feed shows. Returns the missing ones.
    pub fn missing(&self, committed: &CommittedExport, from_ms: i64, to_ms: i64) -> Vec<Defect> {
        let mut missing = Vec::new();
        let reached = |tenant: &TenantInfo| tenant.state == TenantState::Active && self.reaches(tenant);
        for tenant in self.simulator.tenants().into_iter().filter(reached) {
            for dataset in [Dataset::Events, Dataset::Alerts] {
                let produced = self.simulator.produced(dataset, &tenant.id, from_ms, to_ms);
                missing.extend(committed.missing(dataset.as_str(), &tenant.id, &produced));
            }
        }
        missing
    }
}

/// The folder of this package, with the scripts that programs and tests run.
///
/// Cargo and `xtask` set it when they start a program. The compiled path may be that of
/// another checkout with the same target folder.
pub fn package_dir() -> PathBuf {
    env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into()).into()
}

/// The path of a built program beside this one, such as `sophos`.
pub fn program(name: &str) -> PathBuf {
    let own = env::current_exe().unwrap_or_default();
    let folder = own.ancestors().skip(1).find(|folder| folder.join(name).is_file());
    // Without the file the caller reports the missing path.
    folder.map(|folder| folder.join(name)).unwrap_or_else(|| name.into())
}

/// The path of a built function: in the folder `FUNCTIONS_DIR`, or beside this program.
pub(crate) fn function_binary(name: &str) -> PathBuf {
    if let Some(folder) = env::var_os("FUNCTIONS_DIR") {
        let program = PathBuf::from(folder).join(name);
        // A package is a folder.
        let packaged = program.join("bootstrap");
        return if packaged.is_file() { packaged } else { program };
    }
    program(name)
}
