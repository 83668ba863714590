//! An export through a queue: credentials in a file or in Secrets Manager, a plan, and workers.

use std::{fmt::Write, fs, io, os::unix::fs::PermissionsExt, path::PathBuf, time::Duration};

use local_lambda::{InvocationOutcome, LambdaFunction, Sandbox};
use serde_json::{Value, json};
use sophos_simulator::{
    ClockConfig, Config, CredentialConfig, CredentialInfo, CredentialKind, DataConfig, Owner, Role,
    TenantGroup,
};
use tempfile::TempDir;

use crate::{CommittedExport, TestEnv, moto::Moto, queue::Queue};

/// The prefix of credentials in Secrets Manager.
pub const PREFIX: &str = "sophos/credentials/";

/// The secret value of a credential, with its owner.
pub fn secret_value(credential: &CredentialInfo) -> String {
    let CredentialInfo { client_id, client_secret, id_type, principal_id, role, .. } = credential;
    let mut value = json!({
        "client_id": client_id,
        "client_secret": client_secret,
        "role": role,
        "used_for": ["export"],
    });
    value[format!("{id_type}_id")] = json!(principal_id);
    value.to_string()
}

/// Tenants of one partner with a read-only credential. Each tenant has this many events within
/// the last day.
pub fn partner_config(tenants: usize, events: u64) -> Config {
    Config {
        clock: ClockConfig { start: Some("2026-11-23T10:00:00Z".into()), running: false },
        tenants: vec![TenantGroup::new(Owner::Partner, tenants)],
        credentials: vec![CredentialConfig::new(CredentialKind::Partner, Role::ReadOnly)],
        data: DataConfig {
            history_hours: 23.9,
            events_per_hour: events as f64 / 23.9 * 1.01,
            events_total: Some(events),
            alerts_per_hour: 1.0,
            ..DataConfig::default()
        },
        ..Config::default()
    }
}

/// Removes the queue: one invocation exports everything.
pub fn without_export_queue(function: LambdaFunction) -> LambdaFunction {
    function.env_remove("EXPORT_QUEUE_URL").env_remove("EXPORT_DLQ_URL")
}

/// A simulator, a FIFO queue, and the export through it.
#[derive(Debug)]
pub struct PipelineEnv {
    /// The simulator.
    pub env: TestEnv,
    /// The queue.
    pub queue: Queue,
    folder: TempDir,
}

impl PipelineEnv {
    /// Starts a simulator with this configuration. All its credentials are in a file. The
    /// name of each is its kind and the start of its owner's id.
    ///
    /// # Errors
    /// When a part does not start.
    pub async fn start(config: Config, kind: CredentialKind) -> io::Result<Self> {
        let estate = Self {
            env: TestEnv::start(config, kind).await?,
            queue: Queue::start_fifo().await?,
            folder: tempfile::tempdir()?,
        };
        estate.store_credentials(&estate.env.simulator.credentials())?;
        Ok(estate)
    }

    /// The name of a credential.
    pub fn credential_name(credential: &CredentialInfo) -> String {
        let owner: String = credential.principal_id.chars().take(8).collect();
        format!("{}-{owner}", credential.id_type)
    }

    /// Replaces the credentials in the file.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn store_credentials(&self, credentials: &[CredentialInfo]) -> io::Result<()> {
        let mut text = String::new();
        for credential in credentials {
            let CredentialInfo { client_id, client_secret, id_type, principal_id, .. } = credential;
            let name = Self::credential_name(credential);
            let table = format!(
                "[credentials.{name:?}]\nclient_id = {client_id:?}\nclient_secret = {client_secret:?}\n{id_type}_id = \
                 {principal_id:?}\n"
            );
            text.write_str(&table).map_err(io::Error::other)?;
        }
        let path = self.credentials_file();
        fs::write(&path, text)?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o600))
    }

    /// Creates another read-only credential, as the console does.
    ///
    /// # Errors
    /// When the simulator rejects it.
    pub fn create_credential(&self, kind: CredentialKind) -> io::Result<CredentialInfo> {
        let config = CredentialConfig::new(kind, Role::ReadOnly);
        self.env.simulator.add_credential(config).map_err(io::Error::other)
    }

    fn credentials_file(&self) -> PathBuf {
        self.folder.path().join("credentials.toml")
    }

    /// The output folder of the export.
    pub fn export_dir(&self) -> PathBuf {
        self.folder.path().join("exports")
    }

    /// The export, without a rate limit.
    pub fn function(&self) -> LambdaFunction {
        let function = self
            .env
            .export_function(&self.export_dir().to_string_lossy())
            .env_remove("SOPHOS_CLIENT_ID")
            .env_remove("SOPHOS_CLIENT_SECRET")
            .env("SOPHOS_CREDENTIALS_FILE", self.credentials_file())
            .env("EXPORT_QUEUE_URL", self.queue.url())
            .env("EXPORT_DLQ_URL", self.queue.dead_letter_queue().url())
            .env("AWS_ACCESS_KEY_ID", "AKIALOOPBACK")
            .env("AWS_SECRET_ACCESS_KEY", "a-secret-key-of-the-tests")
            .timeout(Duration::from_secs(300));
        self.queue.configure(function)
    }

    /// The export with its credentials in Secrets Manager under [`PREFIX`].
    pub fn with_secrets_manager(&self, moto: &Moto) -> LambdaFunction {
        let queue = self.queue.endpoint();
        let function = moto.configure(self.function()).env("AWS_ENDPOINT_URL_SQS", queue);
        function
            .env_remove("SOPHOS_CREDENTIALS_FILE")
            .env("SOPHOS_SECRETS_PREFIX", PREFIX)
            .env("LOG_LEVEL", "trace")
    }

    /// The function that rotates the credentials of
    /// [`with_secrets_manager`](Self::with_secrets_manager).
    pub fn rotation_function(&self, moto: &Moto) -> LambdaFunction {
        moto.configure(self.env.rotation_function())
            .env("SOPHOS_SECRETS_PREFIX", PREFIX)
            .env("AWS_ACCESS_KEY_ID", "AKIALOOPBACK")
            .env("AWS_SECRET_ACCESS_KEY", "a-secret-key-of-the-tests")
            .env("LOG_LEVEL", "trace")
    }

    /// Invokes the function to create a plan.
    ///
    /// # Errors
    /// With the function's output, if it does not return a report.
    pub async fn plan(&self, sandbox: &mut Sandbox, id: &str) -> io::Result<Value> {
        let mut event = TestEnv::schedule_event();
        event["id"] = json!(id);
        match sandbox.invoke(&event).await {
            InvocationOutcome::Ok(report) => Ok(report),
            other => Err(io::Error::other(format!("{other:?}\n{}", sandbox.logs().join("\n")))),
        }
    }

    /// The committed export, after a check.
    ///
    /// # Errors
    /// With the missing, duplicate or unreadable rows.
    pub fn committed(&self) -> io::Result<CommittedExport> {
        let committed = CommittedExport::load(&self.export_dir())?;
        let defects = self.env.defects(&committed);
        match defects.first() {
            None => Ok(committed),
            Some(first) => Err(io::Error::other(format!("{} defects, such as {first}", defects.len()))),
        }
    }
}
