//! Lambda function that takes other security tools' alerts: behind a function
//! URL or an HTTP API, and as the target of EventBridge rules for GuardDuty and
//! Security Hub. It verifies, reads, records, and hands on to the queue.
//!
//! | variable | what it is | if not set |
//! |---|---|---|
//! | `ISOLATION_QUEUE_URL` | the SQS queue of the worker | this function does the work itself, and takes the worker's events as well |
//!
//! and those of [`isolation_worker`].
//!
//! An event of AWS that is not taken fails the invocation, so that EventBridge
//! delivers it again and then to the dead-letter queue. The error type tells why:
//!
//! | error type | cause |
//! |---|---|
//! | `UnlistedAccount` | no source lists the account that sent it |
//! | `UnreadableEvent` | it is not what the tool sends |
//! | `SourceDisabled` | a mistake in the policy disables its source |
//! | `InvalidEvent` | it is of neither tool, or no event that this function takes |
//! | `NotRecorded` | the ledger or the queue failed |

mod http;
mod queue;
mod records;

use std::{process::ExitCode, sync::Arc, time::Duration};

use isolation_worker::{Config, Task, Worker};
use lambda_runtime::Error;
use lambda_support::{Failure, Invocation, Reader, logging, metrics};
use serde_json::Value;
use sophos_isolation::{
    Ledger,
    verify::Keys,
    webhook::{KeySource, Response, Webhook},
};
use sophos_secrets::NamedSecrets;
use sophos_store::Store;

use crate::queue::Way;

/// What is left of an invocation for its answer.
const MARGIN: Duration = Duration::from_secs(2);

/// The secrets that the policy names, from where the configuration says.
struct PolicySecrets(Arc<Worker>);

impl KeySource for PolicySecrets {
    async fn keys(&self, name: &str) -> Result<Keys, String> {
        let stages = self.0.secrets().read(name).await.map_err(|error| error.to_string())?;
        Ok(Keys::new(stages.current, stages.previous))
    }

    async fn fetch(&self, url: &str) -> Result<Vec<u8>, String> {
        self.0.fetch(url).await
    }
}

struct Function {
    worker: Arc<Worker>,
    webhook: Webhook<Arc<Store>, PolicySecrets, Way>,
    works_itself: bool,
}

impl Function {
    async fn new() -> Result<Self, Error> {
        let mut reader = Reader::environment();
        let config = Config::configured(&mut reader);
        let queue = reader.text("ISOLATION_QUEUE_URL");
        let worker = Arc::new(Worker::new(reader.finish(config)?).await?);
        let works_itself = queue.is_none();
        let way = Way::of(queue, Arc::clone(&worker)).await;
        let ledger = Ledger::new(worker.store());
        let webhook = Webhook::new(ledger, PolicySecrets(Arc::clone(&worker)), way);
        Ok(Self { worker, webhook, works_itself })
    }

    async fn handle(&self, event: &Value, stop_at: Duration, request_id: &str) -> Result<Value, Failure> {
        let is_event = event["source"].as_str().is_some_and(|source| source.starts_with("aws."))
            && event["detail-type"].as_str() != Some("Scheduled Event");
        if !http::is_request(event) && !is_event {
            if !self.works_itself {
                return Err(Failure::invalid_event(
                    "the event is neither a request nor one of GuardDuty or Security Hub",
                ));
            }
            let task = Task::read(event).map_err(Failure::invalid_event)?;
            return Ok(Box::pin(self.worker.handle(task, stop_at)).await?);
        }
        let namespace = &self.worker.config().metrics_namespace;
        self.webhook.queue().work_until(stop_at);
        let now = Duration::from_millis(metrics::now_ms());
        let policy = match self.worker.policy().await {
            Ok(policy) => policy,
            Err(error) if is_event => return Err(error.into()),
            Err(error) => {
                tracing::error!(%error, "nothing can be decided");
                return Ok(http::response(&Response::send_again()));
            }
        };
        if is_event {
            let (response, notice) = Box::pin(self.webhook.event(&policy, event, now)).await;
            records::write(namespace, &response, &notice, request_id);
            // EventBridge brings it again, and then has it dead-lettered, only
            // when the invocation fails.
            return match response.status {
                200 | 202 => serde_json::from_str(&response.body)
                    .map_err(|error| Failure::new("UnreadableAnswer", error)),
                _ => Err(Failure::new(
                    notice.error_kind.unwrap_or("NotRecorded"),
                    notice.problem().unwrap_or_default(),
                )),
            };
        }
        let Some(request) = http::request(event) else {
            return Ok(http::response(&Response::error(400, "the body is not base64")));
        };
        let (response, notice) = Box::pin(self.webhook.handle(&policy, &request, now)).await;
        records::write(namespace, &response, &notice, request_id);
        Ok(http::response(&response))
    }
}

async fn serve() -> Result<(), Error> {
    let function = Function::new().await?;
    let function = &function;
    lambda_support::serve(move |Invocation { event, request_id, deadline, .. }| async move {
        function.handle(&event, deadline.saturating_sub(MARGIN), &request_id).await
    })
    .await
}

#[tokio::main]
async fn main() -> ExitCode {
    logging::start(&[
        "isolation_webhook",
        "isolation_worker",
        "sophos_api",
        "sophos_isolation",
        "sophos_secrets",
    ]);
    logging::ended(serve().await)
}
