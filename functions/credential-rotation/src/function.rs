use std::time::Duration;

use jiff::Timestamp;
use lambda_support::{InvocationError, aws, metrics};
use serde_json::{Value, json};
use sophos_api::ReqwestTransport;
use sophos_secrets::{SecretError, SecretVersions};

use crate::{
    AuditReport, Config, Rotation, RotationError, RotationTask, SophosCredentialCheck, audit::audit,
};

/// Why an invocation failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RotationFunctionError {
    /// A rotation, or the test of a staged credential.
    #[error(transparent)]
    Rotation(#[from] RotationError),
    /// The place where the credentials are cannot be read.
    #[error(transparent)]
    Source(#[from] SecretError),
    /// No connection can be made at all.
    #[error("{0}")]
    Configuration(String),
}

impl From<RotationFunctionError> for InvocationError {
    fn from(error: RotationFunctionError) -> Self {
        let kind = match &error {
            RotationFunctionError::Source(_) | RotationFunctionError::Rotation(RotationError::Source(_)) => {
                "SecretUnreadable"
            }
            RotationFunctionError::Rotation(RotationError::InvalidState { .. }) => "InvalidRotationState",
            RotationFunctionError::Rotation(RotationError::NoPendingValue { .. }) => "NoPendingValue",
            RotationFunctionError::Rotation(RotationError::NoStagedVersion { .. }) => "NoStagedVersion",
            RotationFunctionError::Rotation(RotationError::CheckFailed { .. }) => "CredentialCheckFailed",
            RotationFunctionError::Configuration(_) => "ConfigurationError",
        };
        Self::new(kind, error)
    }
}

/// What the function does, in an AWS account.
#[derive(Debug)]
pub struct RotationFunction {
    config: Config,
    transport: ReqwestTransport,
}

impl RotationFunction {
    /// The function of this configuration. Nothing is asked yet.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new(config: Config) -> Result<Self, RotationFunctionError> {
        let transport = config.sophos.transport();
        let transport = transport.map_err(|error| RotationFunctionError::Configuration(error.to_string()))?;
        Ok(Self { config, transport })
    }

    /// Does what an invocation asks for, and answers with what was done. No wait
    /// for Sophos Central goes past `stop_at`, in time since the Unix epoch.
    ///
    /// # Errors
    /// When it was not done.
    pub async fn handle(
        &self,
        task: RotationTask,
        stop_at: Duration,
        request_id: &str,
    ) -> Result<Value, RotationFunctionError> {
        let now = Timestamp::now();
        let secret = match &task {
            RotationTask::Rotate { secret, .. } | RotationTask::Check(secret) => secret,
            RotationTask::Audit => return self.audit(now, request_id).await,
        };
        let client = aws_sdk_secretsmanager::Client::new(&aws::sdk_config().await);
        let versions = SecretVersions::new(client, secret);
        let sophos = &self.config.sophos;
        let (hosts, budget) = (sophos.hosts.clone(), sophos.rate_limit.clone());
        let trial = SophosCredentialCheck::new(self.transport.clone(), hosts, budget, stop_at);
        let rotation = Rotation::new(&versions, &trial, now);
        let (step, did) = match &task {
            RotationTask::Rotate { step, token, .. } => {
                (step.to_string(), rotation.step(*step, token).await?)
            }
            _ => ("check".to_owned(), rotation.check().await?),
        };
        tracing::info!(
            event = "rotation_step_completed",
            secret_name = secret,
            step,
            result = did,
            "rotation step completed"
        );
        Ok(json!({ "secret_name": secret, "step": step, "result": did }))
    }

    async fn audit(&self, now: Timestamp, request_id: &str) -> Result<Value, RotationFunctionError> {
        let surveyed = self.config.sophos.credentials.inspect(now).await?;
        let watched = surveyed.iter().map(|one| audit(one, &self.config.audit, now)).collect();
        let report = AuditReport::new(watched);
        report.log();
        metrics::write(report.metrics(&self.config.metrics_namespace, request_id, metrics::now_ms()));
        Ok(serde_json::to_value(&report).unwrap_or_default())
    }
}
