//! Lambda function that rotates credentials of Sophos Central in Secrets Manager
//! and watches over them. See the library for what it does, the variables that
//! it reads and the rights that it needs.

use std::{process::ExitCode, time::Duration};

use credential_rotation::{Config, Function, Task};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use lambda_support::{Reader, logging};
use serde_json::Value;
use tracing::Instrument;

/// What is left of an invocation for its last steps.
const MARGIN: Duration = Duration::from_secs(3);

async fn serve() -> Result<(), Error> {
    let mut reader = Reader::environment();
    let config = Config::configured(&mut reader);
    let function = Function::new(reader.finish(config)?)?;
    let function = &function;
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Value>| async move {
        let request_id = event.context.request_id;
        let span = tracing::info_span!("invocation", request_id);
        let stop_at = Duration::from_millis(event.context.deadline).saturating_sub(MARGIN);
        let outcome = async {
            // On the heap: it holds the state of every request that it can make.
            Ok::<_, Error>(
                Box::pin(function.handle(Task::read(&event.payload)?, stop_at, &request_id)).await?,
            )
        };
        let outcome = outcome.instrument(span.clone()).await;
        if let Err(error) = &outcome {
            span.in_scope(|| tracing::error!(%error, "the invocation failed"));
        }
        outcome
    }))
    .await
}

#[tokio::main]
async fn main() -> ExitCode {
    logging::start(&["credential_rotation", "sophos_api", "sophos_secrets"]);
    logging::ended(serve().await)
}
