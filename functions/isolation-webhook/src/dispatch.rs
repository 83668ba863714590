//! Where decisions go: a queue, or work done on the spot.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use aws_sdk_sqs::{Client, error::DisplayErrorContext, types::SendMessageBatchRequestEntry};
use isolation_functions::{CheckPayload, CheckRequest, Worker};
use lambda_support::{aws, metrics};
use serde_json::{Value, json};
use sophos_isolation::{DecisionId, adapters::Message, check::Check, policy::Policy, webhook::Queue};

/// Messages in one request at most.
const MAX_BATCH_SIZE: usize = 10;

/// The longest body that is handed to the worker to be checked, in bytes: a message
/// of SQS holds 256 KiB, in which a body is escaped.
const MAX_CHECK_BODY_LEN: usize = 100 * 1024;

/// The time between two looks for the worker's answer.
const POLL_INTERVAL: Duration = Duration::from_millis(200);

/// Looks for the worker's answer: seven seconds in all.
const MAX_POLLS: usize = 35;

pub(crate) enum Dispatch {
    /// To SQS, for the worker.
    Sqs { client: Client, url: String, worker: Arc<Worker> },
    /// No queue: this function does the work itself.
    Inline { worker: Arc<Worker>, deadline_ms: AtomicU64 },
}

impl Dispatch {
    pub(crate) async fn new(url: Option<String>, worker: Arc<Worker>) -> Self {
        match url {
            Some(url) => Self::Sqs { client: Client::new(&aws::sdk_config().await), url, worker },
            None => Self::Inline { worker, deadline_ms: AtomicU64::new(0) },
        }
    }

    /// Until when this invocation may work. One runs at a time.
    pub(crate) fn set_deadline(&self, deadline: Duration) {
        if let Self::Inline { deadline_ms: stop_at_ms, .. } = self {
            stop_at_ms.store(deadline.as_millis() as u64, Ordering::Relaxed);
        }
    }
}

impl Queue for Dispatch {
    async fn send(&self, decisions: &[DecisionId]) -> Result<(), String> {
        match self {
            Self::Sqs { client, url, .. } => {
                for batch in decisions.chunks(MAX_BATCH_SIZE) {
                    send_batch(client, url, batch).await?;
                }
                Ok(())
            }
            Self::Inline { worker, deadline_ms: stop_at_ms } => {
                let stop_at = Duration::from_millis(stop_at_ms.load(Ordering::Relaxed));
                // What was not taken further is on the agenda: the sender need
                // not send again.
                Box::pin(worker.process(decisions, stop_at))
                    .await
                    .map(drop)
                    .map_err(|error| error.to_string())
            }
        }
    }

    async fn check(&self, policy: &Policy, message: &Message<'_>, check: Check) -> Result<Value, String> {
        match self {
            // The worker has the credentials, which this function must not have.
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
                    let text = serde_json::to_string(&request).map_err(|error| error.to_string())?;
                    let sent = client.send_message().queue_url(url).message_body(text).send().await;
                    sent.map_err(|error| format!("the queue: {}", DisplayErrorContext(error)))?;
                    if let Some(answer) = poll_check_answer(worker, &request).await? {
                        return Ok(answer);
                    }
                }
                to_json(&check)
            }
            Self::Inline { worker, deadline_ms: stop_at_ms } => {
                let stop_at = Duration::from_millis(stop_at_ms.load(Ordering::Relaxed));
                let checked = Box::pin(worker.complete_check(policy, check, stop_at)).await;
                to_json(&checked.map_err(|error| error.to_string())?)
            }
        }
    }
}

fn to_json(check: &Check) -> Result<Value, String> {
    serde_json::to_value(check).map_err(|error| error.to_string())
}

/// The worker's answer to a check; `None` when it does not come in time.
async fn poll_check_answer(worker: &Worker, request: &CheckRequest) -> Result<Option<Value>, String> {
    let store = worker.store();
    for _ in 0..MAX_POLLS {
        tokio::time::sleep(POLL_INTERVAL).await;
        let body = store.read(&request.answer_path()).await.map_err(|error| error.to_string())?;
        if let Some(body) = body {
            return serde_json::from_slice(&body).map(Some).map_err(|error| error.to_string());
        }
    }
    Ok(None)
}

async fn send_batch(client: &Client, url: &str, batch: &[DecisionId]) -> Result<(), String> {
    let body = |id: &DecisionId| json!({ "decision": id }).to_string();
    if let [one] = batch {
        let sent = client.send_message().queue_url(url).message_body(body(one)).send().await;
        return sent.map(drop).map_err(|error| format!("the queue: {}", DisplayErrorContext(error)));
    }
    let entry = |(number, id): (usize, &DecisionId)| {
        let entry = SendMessageBatchRequestEntry::builder();
        entry.id(number.to_string()).message_body(body(id)).build().map_err(|error| error.to_string())
    };
    let entries = batch.iter().enumerate().map(entry).collect::<Result<Vec<_>, _>>()?;
    let sent = client.send_message_batch().queue_url(url).set_entries(Some(entries)).send().await;
    let sent = sent.map_err(|error| format!("the queue: {}", DisplayErrorContext(error)))?;
    match sent.failed().first() {
        None => Ok(()),
        Some(failed) => Err(format!("the queue refused a message: {}", failed.code())),
    }
}
