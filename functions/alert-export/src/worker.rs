//! Processing of the messages of a plan.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use futures_util::{StreamExt, stream::FuturesUnordered};
use lambda_support::aws::RequestError;
use serde_json::{Value, json};
use sophos_export::{ExportReport, FailureKind, StreamOutcome, StreamReport};
use tokio::time::MissedTickBehavior;

use crate::{
    config::{Config, QueueSettings},
    credential_pool::CredentialPool,
    message::{SqsMessage, StreamMessage},
    queue::ExportQueue,
};

/// The visibility timeout of messages in progress, and the interval of its renewal. The
/// messages of a worker that dies are visible again within this time.
const VISIBILITY_TIMEOUT: Duration = Duration::from_secs(60);
const VISIBILITY_RENEWAL_INTERVAL: Duration = Duration::from_secs(20);

/// The back-off of a failed message, which doubles each time.
const INITIAL_BACKOFF: Duration = Duration::from_secs(30);
const MAX_BACKOFF: Duration = Duration::from_secs(900);

/// The action for a processed message.
#[derive(Debug, PartialEq)]
enum MessageAction {
    /// Delete the message.
    Delete,
    /// Delete the message and send this continuation.
    Continue(StreamMessage),
    /// Return the message to the queue.
    Retry,
    /// Send the message to the dead-letter queue, with the kind and the text of the error.
    DeadLetter(&'static str, String),
}

/// Processes a batch, with one time slice for each stream. Returns the partial batch
/// response for Lambda, and the report of the streams.
pub(crate) async fn process_messages(
    pool: &CredentialPool,
    queue: &ExportQueue,
    config: &Config,
    queues: &QueueSettings,
    records: &[SqsMessage],
    stop_at: Duration,
) -> (Value, ExportReport) {
    let mut report = ExportReport::default();
    let mut actions: Vec<Option<MessageAction>> = records.iter().map(|_| None).collect();
    // One run handles all messages of a stream.
    let mut streams: HashMap<String, (StreamMessage, Vec<usize>)> = HashMap::new();
    for (index, record) in records.iter().enumerate() {
        match record.parse_body() {
            Ok(message) => {
                streams.entry(message.group_id()).or_insert_with(|| (message, Vec::new())).1.push(index)
            }
            Err(error) => {
                actions[index] =
                    Some(MessageAction::DeadLetter("InvalidMessage", format!("invalid message: {error}")))
            }
        }
    }
    let mut pending: Vec<_> = streams.values().flat_map(|(_, records)| records.clone()).collect();
    let mut running = FuturesUnordered::new();
    let mut waiting = streams.into_values();
    let mut renewal = tokio::time::interval(VISIBILITY_RENEWAL_INTERVAL);
    renewal.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        while running.len() < config.settings.concurrency.max(1) {
            let Some((message, indices)) = waiting.next() else { break };
            running.push(async move {
                let stream = run_time_slice(pool, config, queues, &message, stop_at).await;
                (message, indices, stream)
            });
        }
        tokio::select! {
            ended = running.next() => {
                let Some((message, indices, stream)) = ended else { break };
                pending.retain(|index| !indices.contains(index));
                for (number, index) in indices.into_iter().enumerate() {
                    let action = message_action(&stream, &message, &records[index], queues.max_receives);
                    // Only one of them continues the stream.
                    let is_repeated = number > 0 && matches!(action, MessageAction::Continue(_));
                    actions[index] = Some(if is_repeated { MessageAction::Delete } else { action });
                }
                report.api_requests += stream.api_requests;
                report.throttled += stream.throttled;
                report.add(stream);
            }
            _ = renewal.tick() => {
                let in_progress: Vec<_> = pending.iter().map(|index| (&records[*index], VISIBILITY_TIMEOUT)).collect();
                log_visibility_error(queue.extend_visibility(&in_progress).await);
            }
        }
    }
    drop(running);
    let streams = report.streams.iter().filter(|stream| stream.dataset.is_per_tenant());
    let tenants: HashSet<_> = streams.map(|stream| &stream.tenant).collect();
    report.tenants = tenants.len() as u64;
    (apply_actions(queue, records, actions).await, report)
}

/// Exports a stream for one time slice.
async fn run_time_slice(
    pool: &CredentialPool,
    config: &Config,
    queues: &QueueSettings,
    message: &StreamMessage,
    stop_at: Duration,
) -> StreamReport {
    use sophos_api::Transport;

    let stop_at = stop_at.min(pool.transport().now() + queues.stream_timeout);
    if let Some(ledger) = pool.ledger().filter(|_| !message.dataset.is_per_tenant()) {
        return ledger.run(|| pool.transport().now(), Some(stop_at)).await;
    }
    let exporter = pool.exporter(config, &message.credential);
    exporter.export_stream(&message.tenant, message.dataset, Some(stop_at)).await
}

fn message_action(
    stream: &StreamReport,
    message: &StreamMessage,
    record: &SqsMessage,
    max_receives: u32,
) -> MessageAction {
    match stream.outcome {
        StreamOutcome::Committed | StreamOutcome::UpToDate if !stream.has_more => MessageAction::Delete,
        // Another run exports this stream.
        StreamOutcome::Superseded => MessageAction::Delete,
        StreamOutcome::Failed => {
            // A retry would fail as well. The report has the error, and the next plan tries
            // again.
            if stream.error_kind.is_some_and(FailureKind::requires_operator) {
                MessageAction::Delete
            } else if record.receive_count >= max_receives {
                let kind = stream.error_kind.map_or("Unknown", FailureKind::as_str);
                MessageAction::DeadLetter(kind, stream.error.clone().unwrap_or_default())
            } else {
                MessageAction::Retry
            }
        }
        _ => MessageAction::Continue(message.next_continuation()),
    }
}

/// Applies the actions, and returns the partial batch response with the messages to
/// retry. A message whose action fails is retried, too.
async fn apply_actions(
    queue: &ExportQueue,
    records: &[SqsMessage],
    actions: Vec<Option<MessageAction>>,
) -> Value {
    let mut retries = Vec::new();
    let mut continuations = Vec::new();
    let mut continued = Vec::new();
    for (record, action) in records.iter().zip(actions) {
        match action.unwrap_or(MessageAction::Retry) {
            MessageAction::Delete => {}
            MessageAction::Continue(message) => {
                continuations.push(message);
                continued.push(record);
            }
            MessageAction::Retry => retries.push(record),
            MessageAction::DeadLetter(kind, reason) => {
                tracing::error!(
                    event = "message_dead_lettered",
                    message_id = record.message_id,
                    error_kind = kind,
                    reason,
                    "moving the message to the dead-letter queue"
                );
                match queue.send_to_dlq(record, kind, &reason).await {
                    Ok(true) => {}
                    Ok(false) => retries.push(record),
                    Err(error) => {
                        tracing::error!(
                            event = "dead_letter_failed",
                            message_id = record.message_id,
                            %error,
                            "moving the message to the dead-letter queue failed"
                        );
                        retries.push(record);
                    }
                }
            }
        }
    }
    if !continuations.is_empty()
        && let Err(error) = queue.send(&continuations).await
    {
        tracing::error!(
            event = "continuation_failed",
            %error,
            "failed to enqueue the continuation; returning messages to the queue"
        );
        retries.extend(continued);
    }
    let timeouts: Vec<_> = retries.iter().map(|record| (*record, backoff(record.receive_count))).collect();
    log_visibility_error(queue.extend_visibility(&timeouts).await);
    let failures: Vec<_> =
        retries.iter().map(|record| json!({ "itemIdentifier": record.message_id })).collect();
    json!({ "batchItemFailures": failures })
}

fn backoff(receives: u32) -> Duration {
    INITIAL_BACKOFF.saturating_mul(1 << receives.saturating_sub(1).min(10)).min(MAX_BACKOFF)
}

/// Logs a failure. The queue's own visibility timeout applies then, which is only a delay.
fn log_visibility_error(result: Result<(), RequestError>) {
    if let Err(error) = result {
        tracing::warn!(event = "visibility_change_failed", %error, "failed to extend the visibility timeout");
    }
}

#[cfg(test)]
mod tests {
    use sophos_api::ErrorKind;
    use sophos_export::{Dataset, TenantRef};

    use super::*;

    fn message() -> StreamMessage {
        StreamMessage {
            credential: "partner".into(),
            tenant: TenantRef::new("ab"),
            dataset: Dataset::Events,
            plan_id: "1".into(),
            continuation: 0,
        }
    }

    fn record(receives: u32) -> SqsMessage {
        SqsMessage {
            message_id: "1".into(),
            receipt_handle: "r".into(),
            body: String::new(),
            receive_count: receives,
        }
    }

    fn stream(outcome: StreamOutcome, more: bool, kind: Option<FailureKind>) -> StreamReport {
        let mut stream = StreamReport::new("ab", Dataset::Events, outcome);
        stream.has_more = more;
        stream.error_kind = kind;
        stream.error = kind.map(|kind| format!("{kind}, in words"));
        stream
    }

    #[test]
    fn message_action_follows_the_stream_outcome() {
        let continues = || MessageAction::Continue(message().next_continuation());
        let dead_letter = MessageAction::DeadLetter("InvalidLogRecord", "InvalidLogRecord, in words".into());
        let service = |kind| Some(FailureKind::Service(kind));
        for (outcome, more, kind, receives, expected) in [
            (StreamOutcome::Committed, false, None, 1, MessageAction::Delete),
            (StreamOutcome::UpToDate, false, None, 9, MessageAction::Delete),
            (StreamOutcome::Superseded, false, None, 1, MessageAction::Delete),
            (StreamOutcome::Committed, true, None, 9, continues()),
            (StreamOutcome::UpToDate, true, None, 1, continues()),
            // The deadline had passed.
            (StreamOutcome::NotStarted, true, None, 9, continues()),
            (StreamOutcome::Failed, true, service(ErrorKind::Forbidden), 1, MessageAction::Delete),
            (StreamOutcome::Failed, true, service(ErrorKind::CredentialRejected), 1, MessageAction::Delete),
            (StreamOutcome::Failed, true, service(ErrorKind::Unavailable), 4, MessageAction::Retry),
            (StreamOutcome::Failed, true, Some(FailureKind::InvalidLogRecord), 5, dead_letter),
        ] {
            let stream = stream(outcome, more, kind);
            assert_eq!(message_action(&stream, &message(), &record(receives), 5), expected, "{stream:?}");
        }
    }

    #[test]
    fn backoff_doubles_with_each_receive() {
        let backoffs: Vec<_> = (0..9).map(|receives| backoff(receives).as_secs()).collect();
        assert_eq!(backoffs, [30, 30, 60, 120, 240, 480, 900, 900, 900]);
        assert_eq!(backoff(u32::MAX), MAX_BACKOFF);
    }
}
