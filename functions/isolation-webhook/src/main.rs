//! The Lambda function that receives the alerts of other security tools: behind a
//! function URL or an HTTP API, and as the target of EventBridge rules for GuardDuty
//! and Security Hub. It authenticates, parses and records alerts, and queues their
//! decisions for the worker.
//!
//! | variable | meaning | default |
//! |---|---|---|
//! | `ISOLATION_QUEUE_URL` | the SQS queue of the worker | none: this function processes decisions and also accepts the worker's events |
//!
//! and those of [`isolation_functions`].
//!
//! An event of AWS that is not recorded fails the invocation. EventBridge retries it
//! and then sends it to the dead-letter queue. The error type has the cause:
//!
//! | error type | cause |
//! |---|---|
//! | `UnlistedAccount` | no source lists the account of the event |
//! | `MalformedEvent` | the event has not the tool's format |
//! | `SourceDisabled` | an error in the policy disables the source |
//! | `InvalidEvent` | the event is of neither tool, or not for this function |
//! | `RecordingFailed` | the ledger or the queue failed |

mod dispatch;
mod http;
mod log_records;

use std::{process::ExitCode, sync::Arc, time::Duration};

use isolation_functions::{Config, Worker, WorkerTask};
use lambda_runtime::Error;
use lambda_support::{ConfigReader, Handler, Invocation, InvocationError, metrics};
use serde_json::Value;
use sophos_isolation::{
    BackendError, Ledger,
    verify::Keys,
    webhook::{KeySource, Response, Webhook},
};
use sophos_secrets::SecretStore;
use sophos_store::Store;

use crate::dispatch::Dispatch;

/// The time that is reserved for the response of an invocation.
const SHUTDOWN_MARGIN: Duration = Duration::from_secs(2);

/// The secrets that the policy names, from the configured location.
struct PolicySecrets(Arc<Worker>);

impl KeySource for PolicySecrets {
    async fn load_keys(&self, name: &str) -> Result<Keys, BackendError> {
        let stages = self.0.secrets().load(name).await.map_err(BackendError::new)?;
        Ok(Keys::new(stages.current, stages.previous))
    }

    async fn fetch_url(&self, url: &str) -> Result<Vec<u8>, BackendError> {
        self.0.fetch(url).await.map_err(BackendError::new)
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
        let is_inline = queue.is_none();
        let dispatch = Dispatch::new(queue, Arc::clone(&worker)).await;
        let ledger = Ledger::new(worker.store());
        let webhook = Webhook::new(ledger, PolicySecrets(Arc::clone(&worker)), dispatch);
        Ok(Self { worker, webhook, is_inline })
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
                    "invalid event: expected an HTTP request, or an event of GuardDuty or Security Hub",
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
            let (response, log) = Box::pin(self.webhook.handle_event(&policy, event, now)).await;
            log_records::record_request(namespace, &response, &log, request_id);
            // EventBridge retries and dead-letters only failed invocations.
            return match response.status {
                200 | 202 => serde_json::from_str(&response.body)
                    .map_err(|error| InvocationError::new("SerializationFailed", error)),
                _ => Err(InvocationError::new(
                    log.error_kind.unwrap_or("RecordingFailed"),
                    log.problem().unwrap_or_default(),
                )),
            };
        }
        let Some(request) = http::parse_request(event) else {
            return Ok(http::to_lambda_response(&Response::error(400, "invalid body: expected base64")));
        };
        let (response, log) = Box::pin(self.webhook.handle(&policy, &request, now)).await;
        log_records::record_request(namespace, &response, &log, request_id);
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
        ["isolation_webhook", "isolation_functions", "sophos_api", "sophos_isolation", "sophos_secrets"];
    lambda_support::run(&targets, WebhookFunction::from_env()).await
}
