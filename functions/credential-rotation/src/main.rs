//! Lambda function that rotates and audits credentials of Sophos Central in Secrets
//! Manager. See the library for its behavior, its variables and the permissions that
//! it needs.

use std::{process::ExitCode, time::Duration};

use credential_rotation::{Config, RotationFunction, RotationTask};
use lambda_runtime::Error;
use lambda_support::{ConfigReader, Handler, Invocation, InvocationError};
use serde_json::Value;

/// The time before Lambda's deadline that is left for the last steps.
const SHUTDOWN_MARGIN: Duration = Duration::from_secs(3);

struct Function(RotationFunction);

impl Function {
    async fn from_env() -> Result<Self, Error> {
        let mut reader = ConfigReader::from_env();
        let config = Config::from_reader(&mut reader);
        Ok(Self(RotationFunction::new(reader.finish(config)?)?))
    }
}

impl Handler for Function {
    async fn handle(&self, invocation: Invocation) -> Result<Value, InvocationError> {
        let deadline = invocation.deadline.saturating_sub(SHUTDOWN_MARGIN);
        let task = RotationTask::parse(&invocation.event).map_err(InvocationError::invalid_event)?;
        Ok(self.0.handle(task, deadline, &invocation.request_id).await?)
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    lambda_support::run(&["credential_rotation", "sophos_api", "sophos_secrets"], Function::from_env()).await
}
