//! The dispatch of decisions: to SQS, or to the worker in this function.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use aws_sdk_sqs::{Client, types::SendMessageBatchRequestEntry};
use isolation_functions::{CheckPayload, CheckRequest, Worker, WorkerError};
use lambda_support::{
    aws::{self, RequestError},
    metrics,
};
use serde_json::{Value, json};
use sophos_isolation::{
    BackendError, DecisionId, adapters::Message, check::Check, policy::Policy, webhook::Queue,
};
use sophos_store::StoreError;

/// The maximum number of messages in one request to SQS.
const MAX_BATCH_SIZE: usize = 10;

/// The longest body of a check that is sent to the worker, in bytes. A message of
/// SQS holds 256 KiB, in which the body is escaped.
const MAX_CHECK_BODY_LEN: usize = 100 * 1024;

/// The interval between polls for the worker's result.
const POLL_INTERVAL: Duration = Duration::from_millis(200);

/// The maximum number of polls for the worker's result: seven seconds in all.
const MAX_POLLS: usize = 35;

/// The failure to send decisions, or to complete a check.
#[derive(Debug, thiserror::Error)]
enum DispatchError {
    #[error(transparent)]
    Sqs(#[from] RequestError),
    #[error(transparent)]
    Worker(#[from] WorkerError),
    #[error("reading the worker's result of a check failed: {0}")]
    Result(#[from] StoreError),
    #[error("converting a check to or from JSON failed: {0}")]
    Json(#[from] serde_json::Error),
}

/// The dispatch of decisions.
pub(crate) enum Dispatch {
    /// Sends them to SQS for the worker.
    Sqs { client: Client, url: String, worker: Arc<Worker> },
    /// Processes them in this function.
    Inline { worker: Arc<Worker>, deadline_ms: AtomicU64 },
}

impl Dispatch {
    /// Creates a dispatch to the queue at a URL; inline without a URL.
    pub(crate) async fn new(url: Option<String>, worker: Arc<Worker>) -> Self {
        match url {
            Some(url) => Self::Sqs { client: Client::new(&aws::sdk_config().await), url, worker },
            None => Self::Inline { worker, deadline_ms: AtomicU64::new(0) },
        }
    }

    /// Sets the deadline of this invocation. Only one runs at a time.
    pub(crate) fn set_deadline(&self, deadline: Duration) {
        if let Self::Inline { deadline_ms, .. } = self {
            deadline_ms.store(deadline.as_millis() as u64, Ordering::Relaxed);
        }
    }

    async fn send_decisions(&self, decisions: &[DecisionId]) -> Result<(), DispatchError> {
        match self {
            Self::Sqs { client, url, .. } => {
                for batch in decisions.chunks(MAX_BATCH_SIZE) {
                    send_batch(client, url, batch).await?;
                }
                Ok(())
            }
            Self::Inline { worker, deadline_ms } => {
                let deadline = Duration::from_millis(deadline_ms.load(Ordering::Relaxed));
                // Decisions that failed stay scheduled, so the sender need not retry.
                Ok(Box::pin(worker.process(decisions, deadline)).await.map(drop)?)
            }
        }
    }

    async fn complete_check(
        &self,
        policy: &Policy,
        message: &Message<'_>,
        check: Check,
    ) -> Result<Value, DispatchError> {
        match self {
            // Only the worker may have the credentials.
            Self::Sqs { client, url, worker } => {
                if let Ok(body) = std::str::from_utf8(message.body)
                    && body.len() <= MAX_CHECK_BODY_LEN
                {
                    let payload = CheckPayload {
                        source: check.source.clone(),
                        payload: Value::from(body),
                        idempotency_key: message.idempotency_key.map(str::to_owned),
                    };
                    let request = CheckRequest::new(payload, metrics::now_ms());
                    let body = serde_json::to_string(&request)?;
                    let sent = client.send_message().queue_url(url).message_body(body).send().await;
                    sent.map_err(RequestError::failed("SendMessage"))?;
                    if let Some(result) = poll_check_result(worker, &request).await? {
                        return Ok(result);
                    }
                }
                Ok(serde_json::to_value(&check)?)
            }
            Self::Inline { worker, deadline_ms } => {
                let deadline = Duration::from_millis(deadline_ms.load(Ordering::Relaxed));
                let completed = Box::pin(worker.complete_check(policy, check, deadline)).await?;
                Ok(serde_json::to_value(&completed)?)
            }
        }
    }
}

impl Queue for Dispatch {
    async fn send(&self, decisions: &[DecisionId]) -> Result<(), BackendError> {
        self.send_decisions(decisions).await.map_err(BackendError::new)
    }

    async fn check(
        &self,
        policy: &Policy,
        message: &Message<'_>,
        check: Check,
    ) -> Result<Value, BackendError> {
        self.complete_check(policy, message, check).await.map_err(BackendError::new)
    }
}

/// Polls for the worker's result of a check; `None` if it does not arrive in time.
async fn poll_check_result(worker: &Worker, request: &CheckRequest) -> Result<Option<Value>, DispatchError> {
    let store = worker.store();
    for _ in 0..MAX_POLLS {
        tokio::time::sleep(POLL_INTERVAL).await;
        if let Some(body) = store.read(&request.answer_path()).await? {
            return Ok(Some(serde_json::from_slice(&body)?));
        }
    }
    Ok(None)
}

async fn send_batch(client: &Client, url: &str, batch: &[DecisionId]) -> Result<(), RequestError> {
    let body = |id: &DecisionId| json!({ "decision": id }).to_string();
    if let [id] = batch {
        let sent = client.send_message().queue_url(url).message_body(body(id)).send().await;
        return sent.map(drop).map_err(RequestError::failed("SendMessage"));
    }
    let entry = |(number, id): (usize, &DecisionId)| {
        let entry = SendMessageBatchRequestEntry::builder();
        let entry = entry.id(number.to_string()).message_body(body(id)).build();
        entry.map_err(RequestError::failed("building a request to SQS"))
    };
    let entries = batch.iter().enumerate().map(entry).collect::<Result<Vec<_>, _>>()?;
    let sent = client.send_message_batch().queue_url(url).set_entries(Some(entries)).send().await;
    let sent = sent.map_err(RequestError::failed("SendMessageBatch"))?;
    match sent.failed().first() {
        None => Ok(()),
        Some(failed) => Err(RequestError::rejected("SendMessageBatch for a message", failed.code())),
    }
}
