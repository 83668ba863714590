//! Lambda function that exports alerts and events of Sophos Central on a
//! schedule.
//!
//! Without a queue one invocation does it all: each credential, all its tenants.
//! With one (`EXPORT_QUEUE_URL`) a schedule makes a plan, one message for each
//! stream, and the same function works the messages off, any number of it at
//! once. An event with a `tenant_id` is about that tenant alone, at once. See
//! [`config`] for the variables that it reads.

mod answer;
mod assignment;
mod config;
mod direct;
mod event;
mod fleet;
mod message;
mod metrics;
mod plan;
mod queue;
mod records;
mod work;

use std::{process::ExitCode, time::Duration};

use lambda_runtime::Error;
use lambda_support::{Failure, Invocation, logging};
use serde_json::Value;
use sophos_api::Transport;

use crate::{config::Config, event::Task, fleet::Fleet, queue::Queue};

/// What is left of an invocation for the commit: this share, and this at most.
const COMMIT_SHARE: u32 = 5;
const COMMIT_AT_MOST: Duration = Duration::from_secs(15);

struct Function {
    config: Config,
    fleet: Fleet,
    queue: Option<Queue>,
}

impl Function {
    async fn new(config: Config) -> Result<Self, Error> {
        let queue = match &config.queues {
            Some(queues) => Some(Queue::open(queues).await),
            None => None,
        };
        Ok(Self { fleet: Fleet::open(&config).await?, queue, config })
    }

    async fn handle(&self, event: &Value, deadline: Duration, request_id: &str) -> Result<Value, Failure> {
        let config = &self.config;
        let left = deadline.saturating_sub(self.fleet.transport().now());
        let stop_at = deadline.saturating_sub((left / COMMIT_SHARE).min(COMMIT_AT_MOST));
        let queued = self.queue.as_ref().zip(config.queues.as_ref());
        match (Task::read(event, &config.datasets).map_err(Failure::invalid_event)?, queued) {
            (Task::Messages(_), None) => {
                Err(Failure::new("NotReady", "messages came, and EXPORT_QUEUE_URL is not set; set it"))
            }
            (Task::Messages(records), Some((queue, queues))) => {
                let worked = work::work(&self.fleet, queue, config, queues, &records, stop_at);
                let (answer, report) = Box::pin(worked).await;
                metrics::write(&report, &config.metrics, request_id);
                records::exported(&report);
                Ok(answer)
            }
            (Task::Export { scope, id }, Some((queue, queues))) if scope.tenant.is_none() => {
                let id = id.as_deref().unwrap_or(request_id);
                let datasets = &scope.datasets;
                let planned = plan::plan(&self.fleet, queue, config, queues, datasets, id, stop_at);
                let report = Box::pin(planned).await?;
                metrics::write_plan(&report, &config.metrics, request_id);
                records::planned(&report);
                answer::answer(&report)
            }
            (Task::Export { scope, .. }, _) => {
                let outcome = Box::pin(direct::run(&self.fleet, config, scope, stop_at)).await;
                let report = outcome?;
                metrics::write(&report, &config.metrics, request_id);
                records::exported(&report);
                if report.failed > 0 && report.failed == report.streams.len() as u64 {
                    let error = report.streams.iter().find_map(|stream| stream.error.clone());
                    let error = error.unwrap_or_default();
                    return Err(Failure::new(
                        "ExportFailed",
                        format!("every stream failed, the first: {error}"),
                    ));
                }
                answer::of_run(report)
            }
        }
    }
}

async fn serve() -> Result<(), Error> {
    let function = Function::new(Config::from_environment()?).await?;
    let function = &function;
    lambda_support::serve(move |Invocation { event, request_id, deadline, .. }| async move {
        function.handle(&event, deadline, &request_id).await
    })
    .await
}

#[tokio::main]
async fn main() -> ExitCode {
    logging::start(&["alert_export", "sophos_api", "sophos_export", "sophos_secrets", "sophos_store"]);
    logging::ended(serve().await)
}
