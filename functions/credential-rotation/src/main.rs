//! Lambda function that rotates credentials of Sophos Central in Secrets Manager
//! and watches over them. See the library for what it does, the variables that
//! it reads and the rights that it needs.

use std::{process::ExitCode, time::Duration};

use credential_rotation::{Config, RotationFunction, RotationTask};
use lambda_runtime::Error;
use lambda_support::{ConfigReader, Invocation, InvocationError, logging};

/// What is left of an invocation for its last steps.
const SHUTDOWN_MARGIN: Duration = Duration::from_secs(3);

async fn serve() -> Result<(), Error> {
    let mut reader = ConfigReader::from_env();
    let config = Config::from_reader(&mut reader);
    let function = RotationFunction::new(reader.finish(config)?)?;
    let function = &function;
    lambda_support::serve(move |Invocation { event, request_id, deadline, .. }| async move {
        let stop_at = deadline.saturating_sub(SHUTDOWN_MARGIN);
        let task = RotationTask::parse(&event).map_err(InvocationError::invalid_event)?;
        Ok(function.handle(task, stop_at, &request_id).await?)
    })
    .await
}

#[tokio::main]
async fn main() -> ExitCode {
    logging::init(&["credential_rotation", "sophos_api", "sophos_secrets"]);
    logging::exit_code(serve().await)
}
