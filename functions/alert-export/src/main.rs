//! Lambda function that exports alerts and events of Sophos Central on a schedule.
//!
//! Without a queue, one invocation exports all tenants of all credentials. With a queue
//! (`EXPORT_QUEUE_URL`), a scheduled event creates a plan: one message for each stream.
//! The same function processes the messages, in any number of concurrent invocations. An
//! event with a `tenant_id` exports that tenant at once. See [`config`] for the variables.

mod assignment;
mod config;
mod credential_pool;
mod event;
mod event_bus;
mod log_records;
mod message;
mod metrics;
mod plan;
mod queue;
mod response;
mod single_invocation;
mod snapshot_plan;
mod worker;

use std::{process::ExitCode, time::Duration};

use lambda_runtime::Error;
use lambda_support::{Handler, Invocation, InvocationError};
use serde_json::Value;
use sophos_api::Transport;

use crate::{config::Config, credential_pool::CredentialPool, event::ExportTask, queue::ExportQueue};

/// The share of an invocation that is reserved for the commit, and its maximum.
const COMMIT_RESERVE_DIVISOR: u32 = 5;
const MAX_COMMIT_RESERVE: Duration = Duration::from_secs(15);

struct ExportFunction {
    config: Config,
    pool: CredentialPool,
    queue: Option<ExportQueue>,
}

impl ExportFunction {
    async fn from_env() -> Result<Self, Error> {
        let config = Config::from_environment()?;
        let queue = match &config.queue {
            Some(queues) => Some(ExportQueue::open(queues).await),
            None => None,
        };
        Ok(Self { pool: CredentialPool::open(&config).await?, queue, config })
    }

    async fn handle_event(
        &self,
        event: &Value,
        deadline: Duration,
        request_id: &str,
    ) -> Result<Value, InvocationError> {
        let config = &self.config;
        let left = deadline.saturating_sub(self.pool.transport().now());
        let stop_at = deadline.saturating_sub((left / COMMIT_RESERVE_DIVISOR).min(MAX_COMMIT_RESERVE));
        let queued = self.queue.as_ref().zip(config.queue.as_ref());
        let task = ExportTask::parse(event, &config.datasets).map_err(InvocationError::invalid_event)?;
        if task.needs_ledger() && self.pool.ledger().is_none() {
            let missing = "the dataset isolations needs the ledger: EXPORT_LEDGER is not set; set it";
            return Err(InvocationError::new("ConfigurationError", missing));
        }
        match (task, queued) {
            (ExportTask::Messages(_), None) => Err(InvocationError::new(
                "ConfigurationError",
                "processing messages failed: EXPORT_QUEUE_URL is not set; set it",
            )),
            (ExportTask::Messages(records), Some((queue, queues))) => {
                let processed =
                    worker::process_messages(&self.pool, queue, config, queues, &records, stop_at);
                let (response, report) = Box::pin(processed).await;
                metrics::write_run(&report, &config.metrics, request_id);
                log_records::log_run(&report);
                Ok(response)
            }
            (ExportTask::Export { scope, id }, Some((queue, queues))) if scope.tenant.is_none() => {
                let id = id.as_deref().unwrap_or(request_id);
                let datasets = &scope.datasets;
                let planned = plan::send_plan(&self.pool, queue, config, queues, datasets, id, stop_at);
                let report = Box::pin(planned).await?;
                metrics::write_plan(&report, &config.metrics, request_id);
                log_records::log_plan(&report);
                response::to_response(&report)
            }
            (ExportTask::Export { scope, .. }, _) => {
                let outcome = Box::pin(single_invocation::run(&self.pool, config, scope, stop_at)).await;
                let report = outcome?;
                metrics::write_run(&report, &config.metrics, request_id);
                log_records::log_run(&report);
                if report.failed > 0 && report.failed == report.streams.len() as u64 {
                    let error = report.streams.iter().find_map(|stream| stream.error.clone());
                    let error = error.unwrap_or_default();
                    return Err(InvocationError::new(
                        "ExportFailed",
                        format!("all streams failed; the first error: {error}"),
                    ));
                }
                response::run_response(report)
            }
        }
    }
}

impl Handler for ExportFunction {
    async fn handle(&self, invocation: Invocation) -> Result<Value, InvocationError> {
        self.handle_event(&invocation.event, invocation.deadline, &invocation.request_id).await
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let targets = ["alert_export", "sophos_api", "sophos_export", "sophos_secrets", "sophos_store"];
    lambda_support::run(&targets, ExportFunction::from_env()).await
}
