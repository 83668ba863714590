use std::time::Duration;

use jiff::Timestamp;
use lambda_support::{InvocationError, aws, metrics, run_until};
use serde_json::{Value, json};
use sophos_api::ReqwestTransport;
use sophos_secrets::{SecretError, SecretVersions};

use crate::{
    AuditReport, Config, Rotation, RotationError, RotationTask, SophosCredentialCheck, audit::audit,
};

/// The time that a step has left after a test that ran into its deadline.
const STEP_MARGIN: Duration = Duration::from_secs(1);

/// The failure of an invocation.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RotationFunctionError {
    /// A rotation or the check of a staged credential failed.
    #[error(transparent)]
    Rotation(#[from] RotationError),
    /// The credentials could not be read.
    #[error(transparent)]
    Source(#[from] SecretError),
    /// The deadline passed before the end of a step. The step can be retried.
    #[error(
        "{0}: the rotation step failed: deadline exceeded; check the routes to Secrets Manager and Sophos Central, \
         or raise the function's timeout"
    )]
    DeadlineExceeded(String),
    /// TLS could not be set up.
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
            RotationFunctionError::DeadlineExceeded(_) => "DeadlineExceeded",
            RotationFunctionError::Configuration(_) => "ConfigurationError",
        };
        Self::new(kind, error)
    }
}

/// The function, in an AWS account.
#[derive(Debug)]
pub struct RotationFunction {
    config: Config,
    transport: ReqwestTransport,
}

impl RotationFunction {
    /// Creates the function. Sends no request.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new(config: Config) -> Result<Self, RotationFunctionError> {
        let transport = config.sophos.transport();
        let transport = transport.map_err(|error| RotationFunctionError::Configuration(error.to_string()))?;
        Ok(Self { config, transport })
    }

    /// Carries out a task and returns its result. Ends by `deadline`, in time since
    /// the Unix epoch.
    ///
    /// # Errors
    /// When the task fails.
    pub async fn handle(
        &self,
        task: RotationTask,
        deadline: Duration,
        request_id: &str,
    ) -> Result<Value, RotationFunctionError> {
        let now = Timestamp::now();
        let secret = match &task {
            RotationTask::Rotate { secret, .. } | RotationTask::Check(secret) => secret,
            RotationTask::Audit => return self.audit(now, deadline, request_id).await,
        };
        let client = aws_sdk_secretsmanager::Client::new(&aws::sdk_config().await);
        let versions = SecretVersions::new(client, secret);
        let sophos = &self.config.sophos;
        let (hosts, rate_limit) = (sophos.hosts.clone(), sophos.rate_limit.clone());
        let check_deadline = deadline.saturating_sub(STEP_MARGIN);
        let check = SophosCredentialCheck::new(self.transport.clone(), hosts, rate_limit, check_deadline);
        let rotation = Rotation::new(&versions, &check, now);
        let run = async {
            Ok::<_, RotationError>(match &task {
                RotationTask::Rotate { step, token, .. } => {
                    (step.to_string(), rotation.step(*step, token).await?)
                }
                _ => ("check".to_owned(), rotation.check().await?),
            })
        };
        // Every step is crash-safe, so it may end at any point.
        let ended = run_until(deadline, run).await;
        let (step, result) =
            ended.ok_or_else(|| RotationFunctionError::DeadlineExceeded(secret.clone()))??;
        tracing::info!(
            event = "rotation_step_completed",
            secret_name = secret,
            step,
            result,
            "rotation step completed"
        );
        Ok(json!({ "secret_name": secret, "step": step, "result": result }))
    }

    async fn audit(
        &self,
        now: Timestamp,
        deadline: Duration,
        request_id: &str,
    ) -> Result<Value, RotationFunctionError> {
        let inspected = self.config.sophos.credentials.inspect(now, deadline).await?;
        let audited = inspected.iter().map(|credential| audit(credential, &self.config.audit, now));
        let report = AuditReport::new(audited.collect());
        report.log();
        metrics::write(report.metrics(&self.config.metrics_namespace, request_id, metrics::now_ms()));
        Ok(serde_json::to_value(&report).unwrap_or_default())
    }
}
