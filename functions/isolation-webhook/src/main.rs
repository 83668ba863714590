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
//! | `MalformedEvent` | it is not what the tool sends |
//! | `SourceDisabled` | a mistake in the policy disables its source |
//! | `InvalidEvent` | it is of neither tool, or no event that this function takes |
//! | `RecordingFailed` | the ledger or the queue failed |

mod dispatch;
mod http;
mod log_records;

use std::{process::ExitCode, sync::Arc, time::Duration};

use isolation_worker::{Config, Worker, WorkerTask};
use lambda_runtime::Error;
use lambda_support::{ConfigReader, Handler, Invocation, InvocationError, metrics};
use serde_json::Value;
use sophos_isolation::{
    Ledger,
    verify::Keys,
    webhook::{KeySource, Response, Webhook},
};
use sophos_secrets::SecretStore;
use sophos_store::Store;

use crate::dispatch::Dispatch;

/// What is left of an invocation for its answer.
const SHUTDOWN_MARGIN: Duration = Duration::from_secs(2);

/// The secrets that the policy names, from where the configuration says.
struct PolicySecrets(Arc<Worker>);

impl KeySource for PolicySecrets {
    async fn load_keys(&self, name: &str) -> Result<Keys, String> {
        let stages = self.0.secrets().load(name).await.map_err(|error| error.to_string())?;
        Ok(Keys::new(stages.current, stages.previous))
    }

    async fn fetch_url(&self, url: &str) -> Result<Vec<u8>, String> {
        self.0.fetch(url).await
    }
}

struct WebhookFunction {
    worker: Arc<Worker>,
    webhook: Webhook<Arc<Store>, PolicySecrets, Dispatch>,
    is_inline: bool,
}

impl WebhookFunction {
    async fn from_env() -> Result<Self, Error> {
        let mut reader = ConfigReader::from_env();
        let config = Config::from_reader(&mut reader);
        let queue = reader.text("ISOLATION_QUEUE_URL");
        let worker = Arc::new(Worker::new(reader.finish(config)?).await?);
        let works_itself = queue.is_none();
        let way = Dispatch::new(queue, Arc::clone(&worker)).await;
        let ledger = Ledger::new(worker.store());
        let webhook = Webhook::new(ledger, PolicySecrets(Arc::clone(&worker)), way);
        Ok(Self { worker, webhook, is_inline: works_itself })
    }

    async fn handle_event(
        &self,
        event: &Value,
        deadline: Duration,
        request_id: &str,
    ) -> Result<Value, InvocationError> {
        let is_event = event["source"].as_str().is_some_and(|source| source.starts_with("aws."))
            && event["detail-type"].as_str() != Some("Scheduled Event");
        if !http::is_http_event(event) && !is_event {
            if !self.is_inline {
                return Err(InvocationError::invalid_event(
                    "the event is neither a request nor one of GuardDuty or Security Hub",
                ));
            }
            let task = WorkerTask::parse(event).map_err(InvocationError::invalid_event)?;
            return Ok(Box::pin(self.worker.handle(task, deadline)).await?);
        }
        let namespace = &self.worker.config().metrics_namespace;
        self.webhook.queue().set_deadline(deadline);
        let now = Duration::from_millis(metrics::now_ms());
        let policy = match self.worker.policy().await {
            Ok(policy) => policy,
            Err(error) if is_event => return Err(error.into()),
            Err(error) => {
                tracing::error!(event = "request_failed", %error, "no valid policy; the request is rejected with status 503");
                return Ok(http::to_lambda_response(&Response::service_unavailable()));
            }
        };
        if is_event {
            let (response, notice) = Box::pin(self.webhook.handle_event(&policy, event, now)).await;
            log_records::record_request(namespace, &response, &notice, request_id);
            // EventBridge brings it again, and then has it dead-lettered, only
            // when the invocation fails.
            return match response.status {
                200 | 202 => serde_json::from_str(&response.body)
                    .map_err(|error| InvocationError::new("SerializationFailed", error)),
                _ => Err(InvocationError::new(
                    notice.error_kind.unwrap_or("RecordingFailed"),
                    notice.problem().unwrap_or_default(),
                )),
            };
        }
        let Some(request) = http::parse_request(event) else {
            return Ok(http::to_lambda_response(&Response::error(400, "the body is not base64")));
        };
        let (response, notice) = Box::pin(self.webhook.handle(&policy, &request, now)).await;
        log_records::record_request(namespace, &response, &notice, request_id);
        Ok(http::to_lambda_response(&response))
    }
}

impl Handler for WebhookFunction {
    async fn handle(&self, invocation: Invocation) -> Result<Value, InvocationError> {
        let deadline = invocation.deadline.saturating_sub(SHUTDOWN_MARGIN);
        self.handle_event(&invocation.event, deadline, &invocation.request_id).await
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let targets =
        ["isolation_webhook", "isolation_worker", "sophos_api", "sophos_isolation", "sophos_secrets"];
    lambda_support::run(&targets, WebhookFunction::from_env()).await
}
