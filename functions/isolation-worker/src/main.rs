//! Lambda function that isolates endpoints: it takes decisions from the queue,
//! and on a schedule follows up on those that are due. See the library for the
//! variables that it reads, and [`isolation_functions::WorkerTask`] for its events.

use std::{process::ExitCode, time::Duration};

use isolation_functions::{Config, Worker, WorkerTask};
use lambda_runtime::Error;
use lambda_support::{ConfigReader, Invocation, InvocationError, logging, metrics};
use serde_json::Value;

/// What is left of an invocation for its last steps.
const SHUTDOWN_MARGIN: Duration = Duration::from_secs(3);

async fn serve() -> Result<(), Error> {
    let mut reader = ConfigReader::from_env();
    let config = Config::from_reader(&mut reader);
    let worker = Worker::new(reader.finish(config)?).await?;
    let worker = &worker;
    lambda_support::serve(move |Invocation { event, request_id, deadline, .. }| async move {
        let task = WorkerTask::parse(&event).map_err(InvocationError::invalid_event)?;
        let answer = worker.handle(task, deadline.saturating_sub(SHUTDOWN_MARGIN)).await?;
        record_metrics(worker, &answer, &request_id);
        Ok(answer)
    })
    .await
}

/// Writes metrics of what an invocation did.
fn record_metrics(worker: &Worker, answer: &Value, request_id: &str) {
    let moved = |state: &str| answer["transitions"][state].as_u64();
    let failures = answer["batchItemFailures"].as_array().map(|failures| failures.len() as u64);
    let count = |name, count: Option<u64>| count.map(|count| (name, "Count", count as f64));
    let known = [
        count("FailedMessages", failures),
        count("DueDecisions", answer["due"].as_u64()),
        count("OverdueIsolations", answer["overdue"].as_u64()),
        count("FollowUpErrors", answer["errors"].as_array().map(|errors| errors.len() as u64)),
        count("ConfirmedIsolations", moved("isolated")),
        count("ConfirmedReleases", moved("released")),
        count("FailedIsolations", moved("failed")),
    ];
    let known: Vec<_> = known.into_iter().flatten().collect();
    if !known.is_empty() {
        let namespace = &worker.config().metrics_namespace;
        metrics::write([metrics::emf_record(namespace, request_id, metrics::now_ms(), &[], &known)]);
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    logging::init(&["isolation_worker", "isolation_functions", "sophos_api", "sophos_isolation", "sophos_secrets"]);
    logging::exit_code(serve().await)
}
