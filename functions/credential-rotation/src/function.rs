use std::time::Duration;

use jiff::Timestamp;
use lambda_support::{Failure, aws, metrics};
use serde_json::{Value, json};
use sophos_api::ReqwestTransport;
use sophos_secrets::{SecretVersions, SourceError};

use crate::{Config, Report, Rotation, RotationError, SophosTrial, Task, watch::watch};

/// Why an invocation failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FunctionError {
    /// A rotation, or the test of a staged credential.
    #[error(transparent)]
    Rotation(#[from] RotationError),
    /// The place where the credentials are cannot be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// No connection can be made at all.
    #[error("{0}")]
    Setting(String),
}

impl From<FunctionError> for Failure {
    fn from(error: FunctionError) -> Self {
        let kind = match &error {
            FunctionError::Source(_) | FunctionError::Rotation(RotationError::Source(_)) => {
                "SecretUnreadable"
            }
            FunctionError::Rotation(RotationError::State { .. }) => "OutOfStep",
            FunctionError::Rotation(RotationError::NoPendingValue { .. }) => "NoPendingValue",
            FunctionError::Rotation(RotationError::NoneStaged { .. }) => "NoneStaged",
            FunctionError::Rotation(RotationError::Trial { .. }) => "TrialFailed",
            FunctionError::Setting(_) => "NotReady",
        };
        Self::new(kind, error)
    }
}

/// What the function does, in an AWS account.
#[derive(Debug)]
pub struct Function {
    config: Config,
    transport: ReqwestTransport,
}

impl Function {
    /// The function of this configuration. Nothing is asked yet.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new(config: Config) -> Result<Self, FunctionError> {
        let transport = config.sophos.transport();
        let transport = transport.map_err(|error| FunctionError::Setting(error.to_string()))?;
        Ok(Self { config, transport })
    }

    /// Does what an invocation asks for, and answers with what was done. No wait
    /// for Sophos Central goes past `stop_at`, in time since the Unix epoch.
    ///
    /// # Errors
    /// When it was not done.
    pub async fn handle(
        &self,
        task: Task,
        stop_at: Duration,
        request_id: &str,
    ) -> Result<Value, FunctionError> {
        let now = Timestamp::now();
        let secret = match &task {
            Task::Rotate { secret, .. } | Task::Check(secret) => secret,
            Task::Watch => return self.watch(now, request_id).await,
        };
        let client = aws_sdk_secretsmanager::Client::new(&aws::settings().await);
        let versions = SecretVersions::new(client, secret);
        let sophos = &self.config.sophos;
        let (hosts, budget) = (sophos.hosts.clone(), sophos.budget.clone());
        let trial = SophosTrial::new(self.transport.clone(), hosts, budget, stop_at);
        let rotation = Rotation::new(&versions, &trial, now);
        let (step, did) = match &task {
            Task::Rotate { step, token, .. } => (step.to_string(), rotation.step(*step, token).await?),
            _ => ("check".to_owned(), rotation.check().await?),
        };
        tracing::info!(secret, step, did, "done");
        Ok(json!({ "secret": secret, "step": step, "did": did }))
    }

    async fn watch(&self, now: Timestamp, request_id: &str) -> Result<Value, FunctionError> {
        let surveyed = self.config.sophos.credentials.survey(now).await?;
        let watched = surveyed.iter().map(|one| watch(one, &self.config.limits, now)).collect();
        let report = Report::of(watched);
        report.log();
        metrics::write(report.metrics(&self.config.metrics_namespace, request_id, metrics::now_ms()));
        Ok(serde_json::to_value(&report).unwrap_or_default())
    }
}
