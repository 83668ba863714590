//! The queue between the plan and the workers, on SQS.

use std::time::Duration;

use aws_sdk_sqs::{
    Client,
    error::DisplayErrorContext,
    types::{
        ChangeMessageVisibilityBatchRequestEntry, MessageAttributeValue, QueueAttributeName,
        SendMessageBatchRequestEntry,
    },
};
use futures_util::{StreamExt, TryStreamExt};
use lambda_support::aws;

use crate::{
    config::QueueSettings,
    message::{SqsMessage, StreamMessage},
};

/// Entries in one request at most.
const MAX_BATCH_ENTRIES: usize = 10;

/// Requests under way at once while a plan is sent.
const MAX_CONCURRENT_REQUESTS: usize = 8;

/// Longest reason on a dead letter, in characters.
const MAX_REASON_LEN: usize = 500;

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

    /// About how many messages wait for a worker.
    pub(crate) async fn pending_messages(&self) -> Result<u64, String> {
        let name = QueueAttributeName::ApproximateNumberOfMessages;
        let asked = self.client.get_queue_attributes().queue_url(&self.url).attribute_names(name.clone());
        let answer = asked.send().await.map_err(|error| sqs_error("its length", &error))?;
        let number = answer.attributes.as_ref().and_then(|all| all.get(&name)?.parse().ok());
        number.ok_or_else(|| "the queue does not tell its length".to_owned())
    }

    /// Sends messages, ten in a request.
    pub(crate) async fn send(&self, messages: &[StreamMessage]) -> Result<(), String> {
        let sends = messages.chunks(MAX_BATCH_ENTRIES).map(|batch| self.send_batch(batch));
        futures_util::stream::iter(sends).buffer_unordered(MAX_CONCURRENT_REQUESTS).try_collect().await
    }

    async fn send_batch(&self, batch: &[StreamMessage]) -> Result<(), String> {
        // On a queue without order the commit protocol keeps two runs of a
        // stream from doing harm; on one with order they do not meet.
        let fifo = is_fifo(&self.url);
        let entry = |(number, message): (usize, &StreamMessage)| {
            let body = serde_json::to_string(message).map_err(|error| error.to_string())?;
            let mut entry = SendMessageBatchRequestEntry::builder().id(number.to_string()).message_body(body);
            if fifo {
                entry = entry
                    .message_group_id(message.group_id())
                    .message_deduplication_id(message.deduplication_id());
            }
            entry.build().map_err(|error| error.to_string())
        };
        let entries = batch.iter().enumerate().map(entry).collect::<Result<Vec<_>, _>>()?;
        let send = self.client.send_message_batch().queue_url(&self.url).set_entries(Some(entries));
        let sent = send.send().await.map_err(|error| sqs_error("a message", &error))?;
        match sent.failed.first() {
            None => Ok(()),
            Some(refused) => Err(format!("the queue refused a message: {}", refused.code)),
        }
    }

    /// Keeps messages out of sight from now on for this long. They come back
    /// then, unless they are handled.
    pub(crate) async fn extend_visibility(&self, records: &[(&SqsMessage, Duration)]) -> Result<(), String> {
        for batch in records.chunks(MAX_BATCH_ENTRIES) {
            let entry = |(number, (record, time)): (usize, &(&SqsMessage, Duration))| {
                ChangeMessageVisibilityBatchRequestEntry::builder()
                    .id(number.to_string())
                    .receipt_handle(&record.receipt_handle)
                    .visibility_timeout(time.as_secs().try_into().unwrap_or(i32::MAX))
                    .build()
                    .map_err(|error| error.to_string())
            };
            let entries = batch.iter().enumerate().map(entry).collect::<Result<Vec<_>, _>>()?;
            let change = self.client.change_message_visibility_batch().queue_url(&self.url);
            let changed = change.set_entries(Some(entries)).send().await;
            let changed = changed.map_err(|error| sqs_error("the time of a message", &error))?;
            if let Some(refused) = changed.failed.first() {
                return Err(format!("the queue did not change the time of a message: {}", refused.code));
            }
        }
        Ok(())
    }

    /// Puts a message aside, with the reason. Says whether there is a queue for
    /// that: if not, the queue's own redrive puts it where it goes.
    pub(crate) async fn send_to_dlq(
        &self,
        record: &SqsMessage,
        kind: &str,
        reason: &str,
    ) -> Result<bool, String> {
        let Some(url) = &self.dlq_url else { return Ok(false) };
        let attribute = |text: &str| {
            MessageAttributeValue::builder()
                .data_type("String")
                .string_value(text)
                .build()
                .map_err(|error| error.to_string())
        };
        let reason: String = reason.chars().filter(|c| !c.is_control()).take(MAX_REASON_LEN).collect();
        let mut send = (self.client.send_message().queue_url(url).message_body(&record.body))
            .message_attributes("error_kind", attribute(kind)?)
            .message_attributes("reason", attribute(&reason)?)
            .message_attributes("receive_count", attribute(&record.receive_count.to_string())?);
        if is_fifo(url) {
            send = send.message_group_id("dead").message_deduplication_id(&record.message_id);
        }
        send.send().await.map_err(|error| sqs_error("a dead letter", &error))?;
        Ok(true)
    }
}

fn is_fifo(url: &str) -> bool {
    url.ends_with(".fifo")
}

fn sqs_error(what: &str, error: impl std::error::Error) -> String {
    format!("the queue did not take or tell {what}: {}", DisplayErrorContext(error))
}
