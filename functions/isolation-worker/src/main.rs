//! Lambda function that isolates endpoints: it takes decisions from the queue,
//! and on a schedule follows up on those that are due. See the library for the
//! variables that it reads, and [`isolation_worker::Task`] for its events.

use std::{process::ExitCode, time::Duration};

use isolation_worker::{Config, Task, Worker};
use lambda_runtime::Error;
use lambda_support::{Failure, Invocation, Reader, logging, metrics};
use serde_json::Value;

/// What is left of an invocation for its last steps.
const MARGIN: Duration = Duration::from_secs(3);

async fn serve() -> Result<(), Error> {
    let mut reader = Reader::environment();
    let config = Config::configured(&mut reader);
    let worker = Worker::new(reader.finish(config)?).await?;
    let worker = &worker;
    lambda_support::serve(move |Invocation { event, request_id, deadline, .. }| async move {
        let task = Task::read(&event).map_err(Failure::invalid_event)?;
        let answer = worker.handle(task, deadline.saturating_sub(MARGIN)).await?;
        record(worker, &answer, &request_id);
        Ok(answer)
    })
    .await
}

/// Writes metrics of what an invocation did.
fn record(worker: &Worker, answer: &Value, request_id: &str) {
    let moved = |state: &str| answer["moved"][state].as_u64();
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
        metrics::write([metrics::line(namespace, request_id, metrics::now_ms(), &[], &known)]);
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    logging::start(&["isolation_worker", "sophos_api", "sophos_isolation", "sophos_secrets"]);
    logging::ended(serve().await)
}
