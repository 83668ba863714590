//! The environment of a load: tenants of a partner with named machines, a source for each
//! tenant, the functions and the ledger.

use std::{fmt, fmt::Write as _};

use end_to_end::{
    isolation::{Delivery, IsolationEnv, unix_now, webhook_secret},
    s3::S3Server,
};
use local_lambda::LambdaFunction;
use serde_json::json;
use sophos_simulator::{
    ClockConfig, Config, CredentialConfig, CredentialKind, IsolationConfig, MachineConfig, Owner, Role,
    TenantGroup,
};
use tempfile::TempDir;

use crate::BenchResult;

/// Enough tenants to keep each below its limit of a thousand isolations an hour.
const TENANTS: u64 = 20;

pub(crate) const SECRET: &str = "webhooks/generic";

/// The location of the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LedgerStore {
    Folder,
    S3,
}

impl fmt::Display for LedgerStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Folder => "folder",
            Self::S3 => "S3",
        })
    }
}

pub(crate) struct IsolationFixture {
    pub(crate) env: IsolationEnv,
    pub(crate) s3: Option<S3Server>,
    _folder: TempDir,
}

impl IsolationFixture {
    /// Starts a simulator with enough machines for this many events, each about another
    /// machine.
    pub(crate) async fn start(place: LedgerStore, events: u64) -> BenchResult<Self> {
        let folder = tempfile::tempdir()?;
        let functions = folder.path().join("functions");
        std::fs::create_dir(&functions)?;
        let kind = CredentialKind::Partner;
        let mut env = IsolationEnv::start_in_folder(config(events), kind, &policy(), &functions).await?;
        let s3 = match place {
            LedgerStore::Folder => None,
            LedgerStore::S3 => Some(S3Server::start(folder.path()).await?),
        };
        if let Some(s3) = &s3 {
            env.use_s3_ledger(s3);
        }
        Ok(Self { env, s3, _folder: folder })
    }

    pub(crate) fn webhook(&self) -> LambdaFunction {
        self.configure(self.env.webhook())
    }

    pub(crate) fn worker(&self) -> LambdaFunction {
        self.configure(self.env.worker())
    }

    fn configure(&self, function: LambdaFunction) -> LambdaFunction {
        match &self.s3 {
            Some(s3) => s3.configure(function),
            None => function,
        }
    }
}

/// The event about machine `number`, signed now.
pub(crate) fn event(number: u64) -> Delivery {
    signed(number, webhook_secret(SECRET), unix_now())
}

/// The same event with an invalid signature.
pub(crate) fn forged(number: u64) -> Delivery {
    signed(number, "another-key-0123456789abcdef", unix_now())
}

/// The event about machine `number`, signed with `key` at a time in seconds since the Unix
/// epoch.
pub(crate) fn signed(number: u64, key: &str, time: u64) -> Delivery {
    let body = json!({
        "event_id": format!("alert-{number}"),
        "severity": "critical",
        "title": "Beacon to a known command and control server",
        "reason": "Outbound connections in regular intervals to an address on a list",
        "observed_at": jiff::Timestamp::now().to_string(),
        "target": { "hostname": format!("{}.corp.example", hostname(number)) },
    });
    Delivery::generic(&source(number % TENANTS), &body, key, time)
}

/// The endpoint of event `number`.
pub(crate) fn endpoint(number: u64) -> String {
    format!("e0000000-0000-4000-8000-{number:012x}")
}

fn tenant(number: u64) -> String {
    format!("70000000-0000-4000-8000-{number:012x}")
}

fn source(number: u64) -> String {
    format!("scripts-{number}")
}

/// The first ten characters differ, because the service compares only those.
fn hostname(number: u64) -> String {
    format!("PC-{number:06}")
}

fn config(events: u64) -> Config {
    // Twice as many machines as isolations: near its limit, the worker counts the estate.
    let machines = (0..2 * events + 2 * TENANTS).map(|number| MachineConfig {
        id: Some(endpoint(number)),
        hostname: Some(hostname(number)),
        online: Some(true),
        ..MachineConfig::new(tenant(number % TENANTS))
    });
    let tenants = (0..TENANTS).map(|number| TenantGroup {
        id: Some(tenant(number)),
        endpoints: Some(0),
        ..TenantGroup::new(Owner::Partner, 1)
    });
    Config {
        clock: ClockConfig { start: None, running: true },
        tenants: tenants.collect(),
        machines: machines.collect(),
        credentials: vec![CredentialConfig::new(CredentialKind::Partner, Role::SuperAdmin)],
        isolation: IsolationConfig { report_delay_seconds: 0 },
        ..Config::default()
    }
}

fn policy() -> String {
    let mut policy = "version = 1\nmode = \"enforce\"\n\n[limits]\nestate_share = 1.0\n\
                      tenant_per_hour = 1000\nsource_per_hour = 1000\n"
        .to_owned();
    for number in 0..TENANTS {
        let (source, tenant) = (source(number), tenant(number));
        // Writing to a string does not fail.
        let _ = write!(
            policy,
            "\n[sources.{source}]\ntool = \"generic\"\ntenants = [\"{tenant}\"]\n\
             verify = {{ scheme = \"signature\", secret = \"{SECRET}\" }}\n"
        );
    }
    policy
}
