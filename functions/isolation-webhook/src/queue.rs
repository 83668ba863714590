//! Where decisions go: a queue, or work done on the spot.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use aws_sdk_sqs::{Client, error::DisplayErrorContext, types::SendMessageBatchRequestEntry};
use isolation_worker::Worker;
use lambda_support::aws;
use serde_json::json;
use sophos_isolation::{DecisionId, check::Check, policy::Policy, webhook::Queue};

/// Messages in one request at most.
const MOST_MESSAGES: usize = 10;

pub(crate) enum Way {
    /// To SQS, for the worker.
    Sqs { client: Client, url: String },
    /// No queue: this function does the work itself.
    Here { worker: Arc<Worker>, stop_at_ms: AtomicU64 },
}

impl Way {
    pub(crate) async fn of(url: Option<String>, worker: Arc<Worker>) -> Self {
        match url {
            Some(url) => Self::Sqs { client: Client::new(&aws::settings().await), url },
            None => Self::Here { worker, stop_at_ms: AtomicU64::new(0) },
        }
    }

    /// Until when this invocation may work. One runs at a time.
    pub(crate) fn work_until(&self, stop_at: Duration) {
        if let Self::Here { stop_at_ms, .. } = self {
            stop_at_ms.store(stop_at.as_millis() as u64, Ordering::Relaxed);
        }
    }
}

impl Queue for Way {
    async fn send(&self, decisions: &[DecisionId]) -> Result<(), String> {
        match self {
            Self::Sqs { client, url } => {
                for batch in decisions.chunks(MOST_MESSAGES) {
                    send(client, url, batch).await?;
                }
                Ok(())
            }
            Self::Here { worker, stop_at_ms } => {
                let stop_at = Duration::from_millis(stop_at_ms.load(Ordering::Relaxed));
                // What was not taken further is on the agenda: the sender need
                // not send again.
                Box::pin(worker.work(decisions, stop_at)).await.map(drop).map_err(|error| error.to_string())
            }
        }
    }

    async fn check(&self, policy: &Policy, check: Check) -> Result<Check, String> {
        match self {
            // The worker has the credentials, and this function may not have them.
            Self::Sqs { .. } => Ok(check),
            Self::Here { worker, stop_at_ms } => {
                let stop_at = Duration::from_millis(stop_at_ms.load(Ordering::Relaxed));
                Box::pin(worker.complete(policy, check, stop_at)).await.map_err(|error| error.to_string())
            }
        }
    }
}

async fn send(client: &Client, url: &str, batch: &[DecisionId]) -> Result<(), String> {
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
