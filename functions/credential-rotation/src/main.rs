//! Lambda function that rotates credentials of Sophos Central in Secrets Manager
//! and watches over them. See the library for what it does, the variables that
//! it reads and the rights that it needs.

use std::{process::ExitCode, time::Duration};

use credential_rotation::{Config, Function, Task};
use lambda_runtime::Error;
use lambda_support::{Failure, Invocation, Reader, logging};

/// What is left of an invocation for its last steps.
const MARGIN: Duration = Duration::from_secs(3);

async fn serve() -> Result<(), Error> {
    let mut reader = Reader::environment();
    let config = Config::configured(&mut reader);
    let function = Function::new(reader.finish(config)?)?;
    let function = &function;
    lambda_support::serve(move |Invocation { event, request_id, deadline, .. }| async move {
        let stop_at = deadline.saturating_sub(MARGIN);
        let task = Task::read(&event).map_err(Failure::invalid_event)?;
        Ok(function.handle(task, stop_at, &request_id).await?)
    })
    .await
}

#[tokio::main]
async fn main() -> ExitCode {
    logging::start(&["credential_rotation", "sophos_api", "sophos_secrets"]);
    logging::ended(serve().await)
}
