//! Lambda function that isolates endpoints: it takes decisions from the queue,
//! and on a schedule follows up on those that are due. See the library for the
//! variables that it reads, and [`isolation_worker::WorkerTask`] for its events.

use std::{process::ExitCode, time::Duration};

use isolation_worker::{Config, Worker, WorkerTask};
use lambda_runtime::Error;
use lambda_support::{ConfigReader, Handler, Invocation, InvocationError, metrics};
use serde_json::Value;

/// What is left of an invocation for its last steps.
const SHUTDOWN_MARGIN: Duration = Duration::from_secs(3);

struct Function(Worker);

impl Function {
    async fn from_env() -> Result<Self, Error> {
        let mut reader = ConfigReader::from_env();
        let config = Config::from_reader(&mut reader);
        Ok(Self(Worker::new(reader.finish(config)?).await?))
    }
}

impl Handler for Function {
    async fn handle(&self, invocation: Invocation) -> Result<Value, InvocationError> {
        let Self(worker) = self;
        let deadline = invocation.deadline.saturating_sub(SHUTDOWN_MARGIN);
        let task = WorkerTask::parse(&invocation.event).map_err(InvocationError::invalid_event)?;
        let response = worker.handle(task, deadline).await?;
        record_metrics(worker, &response, &invocation.request_id);
        Ok(response)
    }
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
    let targets = ["isolation_worker", "sophos_api", "sophos_isolation", "sophos_secrets"];
    lambda_support::run(&targets, Function::from_env()).await
}
