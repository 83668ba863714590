//! The SQS queue between the plan and the workers.

use std::time::Duration;

use aws_sdk_sqs::{
    Client,
    error::BuildError,
    types::{
        ChangeMessageVisibilityBatchRequestEntry, MessageAttributeValue, QueueAttributeName,
        SendMessageBatchRequestEntry,
    },
};
use futures_util::{StreamExt, TryStreamExt};
use lambda_support::aws::{self, RequestError};

use crate::{
    config::QueueSettings,
    message::{SqsMessage, StreamMessage},
};

/// The maximum number of entries in a request.
const MAX_BATCH_ENTRIES: usize = 10;

/// The concurrent requests while a plan is sent.
const MAX_CONCURRENT_REQUESTS: usize = 8;

/// The maximum length of the reason of a dead letter, in characters.
const MAX_REASON_LEN: usize = 500;

/// Converts the error of an incomplete request.
fn build_failed(error: BuildError) -> RequestError {
    RequestError::failed("building a request to SQS")(error)
}

pub(crate) struct ExportQueue {
    client: Client,
    url: String,
    dlq_url: Option<String>,
}

impl ExportQueue {
    pub(crate) async fn open(queues: &QueueSettings) -> Self {
        let client = Client::new(&aws::sdk_config().await);
        Self { client, url: queues.url.clone(), dlq_url: queues.dlq_url.clone() }
    }

    /// The approximate number of messages that wait for a worker.
    pub(crate) async fn pending_messages(&self) -> Result<u64, RequestError> {
        let name = QueueAttributeName::ApproximateNumberOfMessages;
        let request = self.client.get_queue_attributes().queue_url(&self.url).attribute_names(name.clone());
        let response = request.send().await.map_err(RequestError::failed("GetQueueAttributes"))?;
        let number = response.attributes.as_ref().and_then(|all| all.get(&name)?.parse().ok());
        number.ok_or_else(|| RequestError::rejected("GetQueueAttributes", format!("missing {name}")))
    }

    /// Sends messages, ten in each request.
    pub(crate) async fn send(&self, messages: &[StreamMessage]) -> Result<(), RequestError> {
        let sends = messages.chunks(MAX_BATCH_ENTRIES).map(|batch| self.send_batch(batch));
        futures_util::stream::iter(sends).buffer_unordered(MAX_CONCURRENT_REQUESTS).try_collect().await
    }

    async fn send_batch(&self, batch: &[StreamMessage]) -> Result<(), RequestError> {
        // On a FIFO queue the runs of a stream do not overlap. On a standard queue the commit
        // protocol makes overlapping runs safe.
        let fifo = is_fifo(&self.url);
        let entry = |(number, message): (usize, &StreamMessage)| {
            let body = serde_json::to_string(message).map_err(RequestError::failed("encoding a message"))?;
            let mut entry = SendMessageBatchRequestEntry::builder().id(number.to_string()).message_body(body);
            if fifo {
                entry = entry
                    .message_group_id(message.group_id())
                    .message_deduplication_id(message.deduplication_id());
            }
            entry.build().map_err(build_failed)
        };
        let entries = batch.iter().enumerate().map(entry).collect::<Result<Vec<_>, _>>()?;
        let send = self.client.send_message_batch().queue_url(&self.url).set_entries(Some(entries));
        let sent = send.send().await.map_err(RequestError::failed("SendMessageBatch"))?;
        match sent.failed.first() {
            None => Ok(()),
            Some(failed) => Err(RequestError::rejected("SendMessageBatch for a message", &failed.code)),
        }
    }

    /// Sets the visibility timeouts of messages, from now on.
    pub(crate) async fn extend_visibility(
        &self,
        records: &[(&SqsMessage, Duration)],
    ) -> Result<(), RequestError> {
        for batch in records.chunks(MAX_BATCH_ENTRIES) {
            let entry = |(number, (record, time)): (usize, &(&SqsMessage, Duration))| {
                ChangeMessageVisibilityBatchRequestEntry::builder()
                    .id(number.to_string())
                    .receipt_handle(&record.receipt_handle)
                    .visibility_timeout(time.as_secs().try_into().unwrap_or(i32::MAX))
                    .build()
                    .map_err(build_failed)
            };
            let entries = batch.iter().enumerate().map(entry).collect::<Result<Vec<_>, _>>()?;
            let change = self.client.change_message_visibility_batch().queue_url(&self.url);
            let changed = change.set_entries(Some(entries)).send().await;
            let changed = changed.map_err(RequestError::failed("ChangeMessageVisibilityBatch"))?;
            if let Some(failed) = changed.failed.first() {
                let action = "ChangeMessageVisibilityBatch for a message";
                return Err(RequestError::rejected(action, &failed.code));
            }
        }
        Ok(())
    }

    /// Sends a message to the dead-letter queue, with the reason. Returns `false` without
    /// one: the queue's redrive policy applies then.
    pub(crate) async fn send_to_dlq(
        &self,
        record: &SqsMessage,
        kind: &str,
        reason: &str,
    ) -> Result<bool, RequestError> {
        let Some(url) = &self.dlq_url else { return Ok(false) };
        let attribute = |text: &str| {
            MessageAttributeValue::builder()
                .data_type("String")
                .string_value(text)
                .build()
                .map_err(build_failed)
        };
        let reason: String = reason.chars().filter(|c| !c.is_control()).take(MAX_REASON_LEN).collect();
        let mut send = (self.client.send_message().queue_url(url).message_body(&record.body))
            .message_attributes("error_kind", attribute(kind)?)
            .message_attributes("reason", attribute(&reason)?)
            .message_attributes("receive_count", attribute(&record.receive_count.to_string())?);
        if is_fifo(url) {
            send = send.message_group_id("dead").message_deduplication_id(&record.message_id);
        }
        send.send().await.map_err(RequestError::failed("SendMessage to the dead-letter queue"))?;
        Ok(true)
    }
}

fn is_fifo(url: &str) -> bool {
    url.ends_with(".fifo")
}
