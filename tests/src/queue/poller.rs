//! The event source mapping between an SQS queue and a function, as Lambda runs it.

use std::{collections::HashSet, io, sync::Arc};

use local_lambda::{InvocationOutcome, Pool};
use serde_json::{Map, Value, json};
use tokio::task::JoinSet;

use super::checksum::md5_of_body;
use crate::aws::REGION;

/// The counts of one drain of a queue.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct DrainReport {
    /// The invocations of the function.
    pub batches: usize,
    /// The messages that the function handled and the mapping deleted.
    pub handled: usize,
    /// The messages that stay in the queue until they are visible again.
    pub returned: usize,
    /// The reason of each batch that failed as a whole.
    pub failures: Vec<String>,
}

/// A queue from which a mapping receives.
pub(crate) trait SourceQueue: Send + Sync + 'static {
    /// Receives up to `max` messages without waiting.
    fn receive_batch(&self, max: usize) -> impl Future<Output = io::Result<Vec<SourceMessage>>> + Send;

    /// Deletes a message. Returns `false` if its receipt handle is no longer valid.
    fn delete_message(&self, receipt_handle: &str) -> impl Future<Output = io::Result<bool>> + Send;
}

/// A received message, with the record that the function gets.
#[derive(Debug)]
pub(crate) struct SourceMessage {
    id: String,
    receipt_handle: String,
    record: Value,
}

impl SourceMessage {
    pub(crate) fn new(
        id: &str,
        receipt_handle: &str,
        body: &str,
        system_attributes: Value,
        message_attributes: Map<String, Value>,
        queue_arn: &str,
    ) -> Self {
        let record = json!({
            "messageId": id,
            "receiptHandle": receipt_handle,
            "body": body,
            "attributes": system_attributes,
            "messageAttributes": message_attributes,
            "md5OfBody": md5_of_body(body),
            "eventSource": "aws:sqs",
            "eventSourceARN": queue_arn,
            "awsRegion": REGION,
        });
        Self { id: id.to_owned(), receipt_handle: receipt_handle.to_owned(), record }
    }
}

/// A message attribute in the form of a Lambda event. `binary` is base64.
pub(crate) fn attribute_record(data_type: &str, string: Option<&str>, binary: Option<&str>) -> Value {
    let mut record = json!({ "stringListValues": [], "binaryListValues": [], "dataType": data_type });
    for (name, value) in [("stringValue", string), ("binaryValue", binary)] {
        if let Some(value) = value {
            record[name] = value.into();
        }
    }
    record
}

/// Invokes a function with the messages of a queue, and deletes those that it handled.
#[derive(Debug)]
pub(crate) struct Poller<Q> {
    pub(crate) queue: Q,
    pub(crate) pool: Arc<Pool>,
    /// The maximum number of batches in progress.
    pub(crate) concurrency: usize,
    pub(crate) batch_size: usize,
    /// Whether the mapping has `ReportBatchItemFailures`.
    pub(crate) reports_item_failures: bool,
}

/// The result of one batch.
#[derive(Debug)]
pub(crate) struct BatchResult {
    size: usize,
    handled: usize,
    failure: Option<String>,
}

impl DrainReport {
    fn add(&mut self, batch: BatchResult) {
        self.batches += 1;
        self.handled += batch.handled;
        self.returned += batch.size - batch.handled;
        self.failures.extend(batch.failure);
    }
}

impl<Q: SourceQueue> Poller<Q> {
    /// Works until no message is visible and the function is idle.
    pub(crate) async fn drain(self: &Arc<Self>) -> io::Result<DrainReport> {
        let (mut batches, mut report) = (JoinSet::new(), DrainReport::default());
        loop {
            self.fill(&mut batches).await?;
            let Some(batch) = batches.join_next().await else { return Ok(report) };
            report.add(batch.map_err(io::Error::other)??);
        }
    }

    /// Starts batches while the concurrency and the visible messages allow it.
    pub(crate) async fn fill(
        self: &Arc<Self>,
        batches: &mut JoinSet<io::Result<BatchResult>>,
    ) -> io::Result<()> {
        while batches.len() < self.concurrency {
            let messages = self.queue.receive_batch(self.batch_size).await?;
            if messages.is_empty() {
                break;
            }
            let poller = Arc::clone(self);
            batches.spawn(async move { poller.invoke_batch(messages).await });
        }
        Ok(())
    }

    async fn invoke_batch(&self, mut messages: Vec<SourceMessage>) -> io::Result<BatchResult> {
        let size = messages.len();
        let records: Vec<_> = messages.iter_mut().map(|message| message.record.take()).collect();
        let failed = match self.invoke(&records, &messages).await {
            Ok(failed) => failed,
            Err(failure) => return Ok(BatchResult { size, handled: 0, failure: Some(failure) }),
        };
        let mut handled = 0;
        for message in messages.iter().filter(|message| !failed.contains(&message.id)) {
            // A message whose visibility timeout has passed may have another receiver.
            handled += usize::from(self.queue.delete_message(&message.receipt_handle).await?);
        }
        Ok(BatchResult { size, handled, failure: None })
    }

    /// The ids of the messages that the function did not handle, or the reason why the
    /// whole batch failed.
    async fn invoke(&self, records: &[Value], messages: &[SourceMessage]) -> Result<HashSet<String>, String> {
        match self.pool.invoke(&json!({ "Records": records })).await {
            Ok(InvocationOutcome::Ok(_)) if !self.reports_item_failures => Ok(HashSet::new()),
            Ok(InvocationOutcome::Ok(response)) => {
                let ids: HashSet<_> = messages.iter().map(|message| message.id.as_str()).collect();
                parse_item_failures(&response, &ids)
                    .ok_or_else(|| format!("invalid batch response: {response}"))
            }
            Ok(outcome) => Err(format!("{outcome:?}")),
            Err(error) => Err(error.to_string()),
        }
    }
}

/// The failed items of a partial batch response; `None` if the response is invalid or
/// names a message that is not in the batch.
fn parse_item_failures(response: &Value, received: &HashSet<&str>) -> Option<HashSet<String>> {
    let failures = match response {
        Value::Null => return Some(HashSet::new()),
        Value::Object(members) => members.get("batchItemFailures").unwrap_or(&Value::Null),
        _ => return None,
    };
    match failures {
        Value::Null => Some(HashSet::new()),
        Value::Array(failures) => {
            let id = |failure: &Value| failure["itemIdentifier"].as_str().map(str::to_owned);
            failures.iter().map(|failure| id(failure).filter(|id| received.contains(id.as_str()))).collect()
        }
        _ => None,
    }
}
