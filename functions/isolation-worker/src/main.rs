//! The Lambda function that isolates endpoints. It processes decisions from the
//! queue, and follows up those that are due on a schedule.
//! [`isolation_functions`] lists its variables, and
//! [`WorkerTask`] its events.

use std::{process::ExitCode, time::Duration};

use isolation_functions::{Config, Worker, WorkerTask};
use lambda_runtime::Error;
use lambda_support::{ConfigReader, Handler, Invocation, InvocationError, metrics};
use serde_json::Value;

/// The time that is reserved for the end of an invocation.
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

/// Writes the metrics of an invocation.
fn record_metrics(worker: &Worker, response: &Value, request_id: &str) {
    let transitions = |state: &str| response["transitions"][state].as_u64();
    let len = |member: &str| response[member].as_array().map(|items| items.len() as u64);
    let count = |name, count: Option<u64>| count.map(|count| (name, "Count", count as f64));
    let values = [
        count("FailedMessages", len("batchItemFailures")),
        count("DueDecisions", response["due"].as_u64()),
        count("OverdueIsolations", response["overdue"].as_u64()),
        count("FollowUpErrors", len("errors")),
        count("ConfirmedIsolations", transitions("isolated")),
        count("ConfirmedReleases", transitions("released")),
        count("FailedIsolations", transitions("failed")),
    ];
    let values: Vec<_> = values.into_iter().flatten().collect();
    if !values.is_empty() {
        let namespace = &worker.config().metrics_namespace;
        metrics::write([metrics::emf_record(namespace, request_id, metrics::now_ms(), &[], &values)]);
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let targets =
        ["isolation_worker", "isolation_functions", "sophos_api", "sophos_isolation", "sophos_secrets"];
    lambda_support::run(&targets, Function::from_env()).await
}
