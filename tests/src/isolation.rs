//! The environment of isolation tests: a simulator, the built webhook and worker, a ledger in a
//! folder, and senders that sign like the tools.

mod component;
mod deliveries;
mod fixtures;
mod hostile;
mod ledger_files;

use std::{
    fs, io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use local_lambda::{InvocationOutcome, LambdaFunction, Sandbox};
use serde_json::{Value, json};
use sha2::Sha256;
use sophos_isolation::{Decision, DecisionId, DecisionState, Ledger};
use sophos_simulator::{Config, CredentialInfo, CredentialKind, Simulator};
use sophos_store::Store;

pub use component::{ComponentWebhook, HostServer};
pub use fixtures::{ENFORCE_POLICY, TENANT, hostname, machine_id, simulator_config, tight_limits_policy};
pub use hostile::{HostileRequest, forgeries, hostile_requests, hostile_sources, send_bytes};

use crate::{leak_detector::LeakDetector, test_env::function_binary};

/// The secrets of the sources, by their names in policies.
pub const SECRETS: [(&str, &str); 10] = [
    ("webhooks/generic", "generic-key-0123456789abcdef"),
    ("webhooks/pagerduty", "pagerduty-key-0123456789abcdef"),
    ("webhooks/crowdstrike", "crowdstrike-key-0123456789abcdef"),
    ("webhooks/splunk", "splunk-secret-0123456789abcdef"),
    ("webhooks/defender", "defender-token-0123456789abcdef"),
    ("webhooks/okta", "okta-header-0123456789abcdef"),
    ("webhooks/elastic", "elastic-password-0123456789abcdef"),
    ("webhooks/wazuh", "wazuh-header-0123456789abcdef"),
    ("webhooks/sentinelone", "sentinelone-header-0123456789abcdef"),
    ("isolation/approval", "approval-key-0123456789abcdef"),
];

/// A simulator, and the configuration of the isolation functions.
#[derive(Debug)]
pub struct IsolationEnv {
    /// The simulator.
    pub simulator: Simulator,
    credential: CredentialInfo,
    folder: PathBuf,
    ledger: String,
    /// The folder with the ledger's objects, also if they are in an S3 bucket.
    files: PathBuf,
    leak_detector: LeakDetector,
    _temporary: Option<tempfile::TempDir>,
}

impl IsolationEnv {
    /// Starts a simulator with this configuration, its first credential of this kind, and
    /// this policy.
    ///
    /// # Errors
    /// When the simulator does not start or a file cannot be written.
    pub async fn start(config: Config, kind: CredentialKind, policy: &str) -> io::Result<Self> {
        let temporary = tempfile::tempdir()?;
        let folder = temporary.path().to_owned();
        let env = Self::start_in_folder(config, kind, policy, &folder).await?;
        Ok(Self { _temporary: Some(temporary), ..env })
    }

    /// Starts the same with all files in `folder`, which is kept.
    ///
    /// # Errors
    /// As for [`start`](Self::start).
    pub async fn start_in_folder(
        config: Config,
        kind: CredentialKind,
        policy: &str,
        folder: &Path,
    ) -> io::Result<Self> {
        let simulator = Simulator::start(config).await.map_err(io::Error::other)?;
        let credential =
            simulator.credentials().into_iter().find(|credential| credential.id_type == kind.as_str());
        let credential =
            credential.ok_or_else(|| io::Error::other("the simulator has no such credential"))?;
        let files = Self::ledger_dir(folder);
        let ledger = files.to_string_lossy().into_owned();
        let leaks = LeakDetector::default();
        leaks.add_credentials(&simulator.credentials());
        let folder = folder.to_owned();
        let env =
            Self { simulator, credential, folder, ledger, files, leak_detector: leaks, _temporary: None };
        env.set_policy(policy)?;
        let current = SECRETS.map(|(name, value)| (name, value, None::<&str>));
        env.set_secrets(&current)?;
        Ok(env)
    }

    /// Writes the policy. A running function reads it within a minute.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn set_policy(&self, policy: &str) -> io::Result<()> {
        fs::write(self.folder.join("policy.toml"), policy)
    }

    /// Writes the secrets: the name, value and previous value of each.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn set_secrets(&self, secrets: &[(&str, &str, Option<&str>)]) -> io::Result<()> {
        let mut text = String::new();
        for (name, current, previous) in secrets {
            [Some(*current), *previous]
                .into_iter()
                .flatten()
                .for_each(|secret| self.leak_detector.add_secret(secret));
            text.push_str(&format!("[secrets.\"{name}\"]\ncurrent = \"{current}\"\n"));
            if let Some(previous) = previous {
                text.push_str(&format!("previous = \"{previous}\"\n"));
            }
        }
        let path = self.folder.join("secrets.toml");
        fs::write(&path, text)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600))
    }

    /// The folder with the policy, the secrets and, by default, the ledger.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Stores the ledger elsewhere, such as at `s3://bucket/prefix`, where tests cannot
    /// read its files. See also [`use_s3_ledger`](Self::use_s3_ledger).
    pub fn set_ledger_location(&mut self, location: impl Into<String>) {
        self.ledger = location.into();
    }

    /// The webhook. Without a queue it isolates inline.
    pub fn webhook(&self) -> LambdaFunction {
        self.function("isolation-webhook")
    }

    /// The worker.
    pub fn worker(&self) -> LambdaFunction {
        self.function("isolation-worker")
    }

    fn function(&self, name: &str) -> LambdaFunction {
        let path = |file: &str| self.folder.join(file).to_string_lossy().into_owned();
        self.bare_function(name)
            .env("ISOLATION_LEDGER", &self.ledger)
            .env("ISOLATION_POLICY", path("policy.toml"))
            .env("WEBHOOK_SECRETS_FILE", path("secrets.toml"))
    }

    /// A function with the simulator and the credential, and without a ledger.
    pub fn bare_function(&self, name: &str) -> LambdaFunction {
        self.leak_detector.add_credentials(&self.simulator.credentials());
        let function = LambdaFunction::new(function_binary(name));
        self.leak_detector
            .watch(function)
            .name(name)
            .memory_mb(128)
            // A busy machine needs more than the default.
            .init_timeout(Duration::from_secs(60))
            .timeout(Duration::from_secs(60))
            .env("SOPHOS_CLIENT_ID", &self.credential.client_id)
            .env("SOPHOS_CLIENT_SECRET", &self.credential.client_secret)
            .env("SOPHOS_IDENTITY_URL", self.simulator.identity_url())
            .env("SOPHOS_GLOBAL_URL", self.simulator.global_url())
            .env("SOPHOS_RATE_LIMIT", "unlimited")
    }

    /// The credential of the functions.
    pub fn credential(&self) -> &CredentialInfo {
        &self.credential
    }

    /// The ledger, for reading.
    ///
    /// # Errors
    /// When the folder cannot be opened.
    pub fn ledger(&self) -> io::Result<Ledger<Store>> {
        Ok(Ledger::new(Store::open(&self.files.to_string_lossy()).map_err(io::Error::other)?))
    }

    /// Reads a decision.
    ///
    /// # Errors
    /// When it does not exist, or the ledger cannot be read.
    pub async fn decision(&self, id: &DecisionId) -> io::Result<Decision> {
        let decision = self.ledger()?.load_decision(id).await.map_err(io::Error::other)?;
        decision.ok_or_else(|| io::Error::other(format!("unknown decision {id}")))
    }

    /// Reads the state of a decision.
    ///
    /// # Errors
    /// As for [`decision`](Self::decision).
    pub async fn state(&self, id: &DecisionId) -> io::Result<DecisionState> {
        Ok(self.decision(id).await?.state())
    }

    /// Invokes the worker to follow up on all unfinished decisions.
    ///
    /// # Errors
    /// With the function's output, if it does not return a report.
    pub async fn follow_up(&self, worker: &mut Sandbox) -> io::Result<Value> {
        match worker.invoke(&json!({ "follow_up": "all" })).await {
            InvocationOutcome::Ok(report) => Ok(report),
            other => Err(io::Error::other(format!("{other:?}\n{}", worker.logs().join("\n")))),
        }
    }
}

/// The current time, in seconds since the Unix epoch.
pub fn unix_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// The key of a source, by the name of its secret.
pub fn webhook_secret(name: &str) -> &'static str {
    SECRETS.iter().find(|(own, _)| *own == name).map_or("", |(_, value)| value)
}

fn hmac(key: &str, parts: &[&[u8]]) -> Vec<u8> {
    // HMAC accepts a key of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key.as_bytes()) else { return Vec::new() };
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A request of a tool: path, headers and body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The path, such as `/hooks/generic`.
    pub path: String,
    /// The headers.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: String,
}

impl Delivery {
    /// A delivery in the generic format, signed at `now` with `key`.
    pub fn generic(source: &str, body: &Value, key: &str, now: u64) -> Self {
        let mut delivery = Self::unsigned(format!("/hooks/{source}"), body.to_string());
        let time = now.to_string();
        let signature = hmac(key, &[time.as_bytes(), b".", delivery.body.as_bytes()]);
        delivery.headers.push(("x-sophos-signature", format!("v1={}", hex(&signature))));
        delivery.headers.push(("x-sophos-timestamp", time));
        delivery
    }

    /// A delivery with PagerDuty's signature.
    pub fn pagerduty(source: &str, body: &Value, key: &str) -> Self {
        let mut delivery = Self::unsigned(format!("/hooks/{source}"), body.to_string());
        let signature = hex(&hmac(key, &[delivery.body.as_bytes()]));
        delivery.headers.push(("x-pagerduty-signature", format!("v1={signature}")));
        delivery
    }

    /// A delivery with CrowdStrike's signature: base64, over the body and the time.
    pub fn crowdstrike(source: &str, body: &Value, key: &str, now: u64) -> Self {
        let mut delivery = Self::unsigned(format!("/hooks/{source}"), body.to_string());
        let time = jiff::Timestamp::from_second(now as i64).unwrap_or_default().to_string();
        let signature = hmac(key, &[delivery.body.as_bytes(), time.as_bytes()]);
        delivery.headers.push(("x-cs-primary-signature", STANDARD.encode(signature)));
        delivery.headers.push(("x-cs-delivery-timestamp", time));
        delivery.headers.push(("x-cs-signature-algorithm", "HmacSHA256".into()));
        delivery
    }

    /// A delivery of Splunk, with the secret in the URL.
    pub fn splunk(source: &str, body: &Value, secret: &str) -> Self {
        Self::unsigned(format!("/hooks/{source}/{secret}"), body.to_string())
    }

    /// Sends the delivery to a function URL. Returns the status and the response.
    ///
    /// # Errors
    /// When no response arrives.
    pub async fn send(&self, client: &reqwest::Client, url: &str) -> io::Result<(u16, Value)> {
        let response = self.request(client, url).send().await.map_err(io::Error::other)?;
        let status = response.status().as_u16();
        let body = response.bytes().await.map_err(io::Error::other)?;
        Ok((status, serde_json::from_slice(&body).unwrap_or(Value::Null)))
    }
}

/// The decision id in a response of the webhook.
///
/// # Errors
/// When the response has none.
pub fn parse_decision_id(answer: &Value) -> io::Result<DecisionId> {
    let id = answer["decision"].as_str().unwrap_or_default();
    id.parse().map_err(|why: &str| io::Error::other(format!("{why}: {answer}")))
}
