//! What Lambda does between a queue and a function.

use std::{collections::HashSet, sync::Arc};

use local_lambda::{InvocationOutcome, LambdaFunction, Pool, StartError, StoppedSandbox};
use serde_json::{Map, Value, json};
use tokio::task::{JoinHandle, JoinSet};

use super::{
    Queue,
    checksum::md5_of_body,
    shared::SharedQueue,
    state::{ReceiptStatus, ReceivedMessage},
};
use crate::aws::REGION;

/// The most messages of a batch from a FIFO queue.
const MAX_FIFO_BATCH: usize = 10;

/// What a mapping did.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct DrainReport {
    /// The events that the function was given.
    pub batches: usize,
    /// The messages that it handled and that were deleted.
    pub handled: usize,
    /// The messages that were left in the queue until they are visible again.
    pub returned: usize,
    /// Of each batch that failed as a whole, why.
    pub failures: Vec<String>,
}

/// An event source mapping: hands the queue's messages to a function in batches,
/// and deletes those that it handled.
///
/// The function reports single failures (`ReportBatchItemFailures`). An error, a
/// crash, a timeout and an answer that is not of that form are failures of the
/// whole batch. What failed comes back when its visibility timeout has passed.
/// On a FIFO queue a batch holds at most ten messages, and no two batches at work
/// hold messages of one group.
#[derive(Debug)]
pub struct EventSource {
    work: Arc<EventSourceInner>,
    running: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct EventSourceInner {
    queue: Arc<SharedQueue>,
    pool: Pool,
    sandboxes: usize,
    batch_size: usize,
}

impl EventSource {
    /// A mapping to this function, which it starts: at most `sandboxes` of it, each
    /// with up to `batch_size` messages at a time.
    ///
    /// # Errors
    /// When the function does not start.
    pub async fn new(
        queue: &Queue,
        function: LambdaFunction,
        sandboxes: usize,
        batch_size: usize,
    ) -> Result<Self, StartError> {
        let pool = Pool::start(function, sandboxes).await?;
        let most = if queue.shared.is_fifo() { MAX_FIFO_BATCH } else { usize::MAX };
        let (sandboxes, batch_size) = (sandboxes.max(1), batch_size.clamp(1, most));
        let work = EventSourceInner { queue: Arc::clone(&queue.shared), pool, sandboxes, batch_size };
        Ok(Self { work: Arc::new(work), running: None })
    }

    /// Works until nothing is visible in the queue and the function is idle.
    pub async fn drain(&self) -> DrainReport {
        let (mut batches, mut drained) = (JoinSet::new(), DrainReport::default());
        loop {
            self.work.fill(&mut batches);
            match batches.join_next().await {
                Some(batch) => {
                    drained.add(batch.unwrap_or_else(|error| BatchResult::failed(0, error.to_string())))
                }
                None => return drained,
            }
        }
    }

    /// Works in the background from now on, until it is stopped or dropped.
    pub fn run(&mut self) {
        let work = Arc::clone(&self.work);
        let running = tokio::spawn(async move {
            let mut batches = JoinSet::new();
            loop {
                work.fill(&mut batches);
                if batches.len() < work.sandboxes {
                    tokio::select! {
                        Some(_) = batches.join_next() => {}
                        () = work.queue.wait(None) => {}
                    }
                } else {
                    batches.join_next().await;
                }
            }
        });
        if let Some(before) = self.running.replace(running) {
            before.abort();
        }
    }

    /// The function's sandboxes.
    pub fn pool(&self) -> &Pool {
        &self.work.pool
    }

    /// Takes no more messages, waits for the events at work, and returns what is
    /// known about the processes. Events at work in the background are not settled:
    /// their messages come back.
    pub async fn stop(mut self) -> Vec<StoppedSandbox> {
        if let Some(running) = self.running.take() {
            running.abort();
        }
        self.work.pool.stop().await
    }
}

impl Drop for EventSource {
    fn drop(&mut self) {
        if let Some(running) = &self.running {
            running.abort();
        }
    }
}

/// What became of one batch.
#[derive(Debug)]
pub(crate) struct BatchResult {
    pub(crate) size: usize,
    pub(crate) handled: usize,
    pub(crate) failure: Option<String>,
}

impl BatchResult {
    pub(crate) fn failed(size: usize, why: String) -> Self {
        Self { size, handled: 0, failure: Some(why) }
    }
}

impl DrainReport {
    pub(crate) fn add(&mut self, batch: BatchResult) {
        self.batches += 1;
        self.handled += batch.handled;
        self.returned += batch.size - batch.handled;
        self.failures.extend(batch.failure);
    }
}

impl EventSourceInner {
    /// Gives each free sandbox a batch, as long as there are messages.
    fn fill(self: &Arc<Self>, batches: &mut JoinSet<BatchResult>) {
        while batches.len() < self.sandboxes {
            let received = self.queue.receive(self.batch_size, None);
            if received.is_empty() {
                return;
            }
            let work = Arc::clone(self);
            batches.spawn(async move { work.invoke_batch(received).await });
        }
    }

    async fn invoke_batch(&self, received: Vec<ReceivedMessage>) -> BatchResult {
        let size = received.len();
        let arn = self.queue.arn();
        let records: Vec<_> = received.iter().map(|received| sqs_record(received, &arn)).collect();
        let ids: Vec<_> = received.iter().map(|one| one.message.id.as_str()).collect();
        let failed = match invoke_for_failures(&self.pool, records, Some(&ids)).await {
            Ok(failed) => failed,
            Err(why) => return BatchResult::failed(size, why),
        };
        // What was away for too long may be in other hands by now, and is not deleted.
        let deleted = received.iter().filter(|one| !failed.contains(&one.message.id)).filter(|one| {
            matches!(self.queue.delete(&one.receipt_handle), ReceiptStatus::Current | ReceiptStatus::Deleted)
        });
        BatchResult { size, handled: deleted.count(), failure: None }
    }
}

/// Gives a batch to a function. Of these ids, when it reports single failures, those
/// that it did not handle, or why the whole batch failed.
pub(crate) async fn invoke_for_failures(
    pool: &Pool,
    records: Vec<Value>,
    reported: Option<&[&str]>,
) -> Result<HashSet<String>, String> {
    match pool.invoke(&json!({ "Records": records })).await {
        Ok(InvocationOutcome::Ok(answer)) => {
            reported.map_or_else(|| Ok(HashSet::new()), |ids| parse_item_failures(&answer, ids))
        }
        Ok(other) => Err(format!("{other:?}")),
        Err(error) => Err(error.to_string()),
    }
}

/// The messages that the function did not handle, of those with these ids, or why
/// the batch failed.
fn parse_item_failures(answer: &Value, received: &[&str]) -> Result<HashSet<String>, String> {
    let malformed = || format!("the function's answer is not a batch response: {answer}");
    let failures = match answer {
        Value::Null => return Ok(HashSet::new()),
        Value::Object(members) => members.get("batchItemFailures").unwrap_or(&Value::Null),
        _ => return Err(malformed()),
    };
    let failures = match failures {
        Value::Null => return Ok(HashSet::new()),
        Value::Array(failures) => failures,
        _ => return Err(malformed()),
    };
    let known = |id: &&str| received.contains(id);
    failures
        .iter()
        .map(|failure| {
            failure["itemIdentifier"].as_str().filter(known).map(str::to_owned).ok_or_else(malformed)
        })
        .collect()
}

/// A message as the function sees it.
fn sqs_record(received: &ReceivedMessage, arn: &str) -> Value {
    let ReceivedMessage { message, receipt_handle: receipt } = received;
    let attributes = message.attributes.iter().map(|(name, attribute)| {
        let mut shown = json!({
            "stringListValues": [],
            "binaryListValues": [],
            "dataType": attribute["DataType"],
        });
        for (from, to) in [("StringValue", "stringValue"), ("BinaryValue", "binaryValue")] {
            if let Some(value) = attribute[from].as_str() {
                shown[to] = value.into();
            }
        }
        (name.clone(), shown)
    });
    json!({
        "messageId": message.id,
        "receiptHandle": receipt,
        "body": message.body,
        "attributes": message.system_attributes(),
        "messageAttributes": attributes.collect::<Map<_, _>>(),
        "md5OfBody": md5_of_body(&message.body),
        "eventSource": "aws:sqs",
        "eventSourceARN": arn,
        "awsRegion": REGION,
    })
}
