//! The messages of a plan, worked off.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use futures_util::{StreamExt, stream::FuturesUnordered};
use serde_json::{Value, json};
use sophos_export::{ExportReport, FailureKind, StreamOutcome, StreamReport};
use tokio::time::MissedTickBehavior;

use crate::{
    config::{Config, QueueSettings},
    credential_pool::CredentialPool,
    message::{SqsMessage, StreamMessage},
    queue::ExportQueue,
};

/// How long messages are kept out of sight while they are worked on, and how
/// often that is said again. Those of a worker that dies come back within this.
const VISIBILITY_TIMEOUT: Duration = Duration::from_secs(60);
const VISIBILITY_RENEWAL_INTERVAL: Duration = Duration::from_secs(20);

/// How long a message that failed waits before it is tried again: twice as long
/// each time.
const INITIAL_BACKOFF: Duration = Duration::from_secs(30);
const MAX_BACKOFF: Duration = Duration::from_secs(900);

/// What becomes of a message.
#[derive(Debug, PartialEq)]
enum MessageAction {
    /// It is done with.
    Delete,
    /// It is done with, and the stream has more.
    Continue(StreamMessage),
    /// It comes back.
    Retry,
    /// It is put aside, for this kind of reason, and this one.
    DeadLetter(&'static str, String),
}

/// Works off a batch: each stream gets a turn. Answers as Lambda expects it,
/// and with what became of each stream.
pub(crate) async fn process_messages(
    fleet: &CredentialPool,
    queue: &ExportQueue,
    config: &Config,
    queues: &QueueSettings,
    records: &[SqsMessage],
    stop_at: Duration,
) -> (Value, ExportReport) {
    let mut report = ExportReport::default();
    let mut fates: Vec<Option<MessageAction>> = records.iter().map(|_| None).collect();
    // Of several messages of one stream one run does the work.
    let mut streams: HashMap<String, (StreamMessage, Vec<usize>)> = HashMap::new();
    for (index, record) in records.iter().enumerate() {
        match record.parse_body() {
            Ok(message) => {
                streams.entry(message.group_id()).or_insert_with(|| (message, Vec::new())).1.push(index)
            }
            Err(error) => fates[index] = Some(MessageAction::DeadLetter("InvalidMessage", error)),
        }
    }
    let mut pending: Vec<_> = streams.values().flat_map(|(_, records)| records.clone()).collect();
    let mut running = FuturesUnordered::new();
    let mut waiting = streams.into_values();
    let mut say = tokio::time::interval(VISIBILITY_RENEWAL_INTERVAL);
    say.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        while running.len() < config.settings.concurrency.max(1) {
            let Some((message, indices)) = waiting.next() else { break };
            running.push(async move {
                let stream = run_time_slice(fleet, config, queues, &message, stop_at).await;
                (message, indices, stream)
            });
        }
        tokio::select! {
            ended = running.next() => {
                let Some((message, indices, stream)) = ended else { break };
                pending.retain(|index| !indices.contains(index));
                for (number, index) in indices.into_iter().enumerate() {
                    let fate = message_action(&stream, &message, &records[index], queues.max_receives);
                    // One of them carries the stream on.
                    let fate = if number > 0 && matches!(fate, MessageAction::Continue(_)) { MessageAction::Delete } else { fate };
                    fates[index] = Some(fate);
                }
                report.api_requests += stream.api_requests;
                report.throttled += stream.throttled;
                report.add(stream);
            }
            _ = say.tick() => {
                let hidden: Vec<_> = pending.iter().map(|index| (&records[*index], VISIBILITY_TIMEOUT)).collect();
                log_visibility_error(queue.extend_visibility(&hidden).await);
            }
        }
    }
    drop(running);
    let tenants: HashSet<_> = report.streams.iter().map(|stream| &stream.tenant).collect();
    report.tenants = tenants.len() as u64;
    (apply_actions(queue, records, fates).await, report)
}

/// One stream's turn.
async fn run_time_slice(
    fleet: &CredentialPool,
    config: &Config,
    queues: &QueueSettings,
    message: &StreamMessage,
    stop_at: Duration,
) -> StreamReport {
    use sophos_api::Transport;

    let exporter = fleet.exporter(config, &message.credential);
    let stop_at = stop_at.min(fleet.transport().now() + queues.stream_timeout);
    exporter.export_stream(&message.tenant, message.dataset, Some(stop_at)).await
}

fn message_action(
    stream: &StreamReport,
    message: &StreamMessage,
    record: &SqsMessage,
    attempts: u32,
) -> MessageAction {
    match stream.outcome {
        StreamOutcome::Committed | StreamOutcome::UpToDate if !stream.has_more => MessageAction::Delete,
        // Another run is at this stream.
        StreamOutcome::Superseded => MessageAction::Delete,
        StreamOutcome::Failed => {
            // The next plan meets it as well as a retry would, and it is reported.
            if stream.error_kind.is_some_and(FailureKind::requires_operator) {
                MessageAction::Delete
            } else if record.receive_count >= attempts {
                let kind = stream.error_kind.map_or("Unknown", FailureKind::as_str);
                MessageAction::DeadLetter(kind, stream.error.clone().unwrap_or_default())
            } else {
                MessageAction::Retry
            }
        }
        _ => MessageAction::Continue(message.next_continuation()),
    }
}

/// Carries out what becomes of the messages, and answers with those that come
/// back. What cannot be carried out comes back too.
async fn apply_actions(
    queue: &ExportQueue,
    records: &[SqsMessage],
    fates: Vec<Option<MessageAction>>,
) -> Value {
    let mut again = Vec::new();
    let mut next = Vec::new();
    let mut carriers = Vec::new();
    for (record, fate) in records.iter().zip(fates) {
        match fate.unwrap_or(MessageAction::Retry) {
            MessageAction::Delete => {}
            MessageAction::Continue(message) => {
                next.push(message);
                carriers.push(record);
            }
            MessageAction::Retry => again.push(record),
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
                    Ok(false) => again.push(record),
                    Err(error) => {
                        tracing::error!(
                            event = "dead_letter_failed",
                            message_id = record.message_id,
                            error,
                            "moving the message to the dead-letter queue failed"
                        );
                        again.push(record);
                    }
                }
            }
        }
    }
    if !next.is_empty()
        && let Err(error) = queue.send(&next).await
    {
        tracing::error!(
            event = "continuation_failed",
            error,
            "failed to enqueue the continuation; returning messages to the queue"
        );
        again.extend(carriers);
    }
    let waits: Vec<_> = again.iter().map(|record| (*record, backoff(record.receive_count))).collect();
    log_visibility_error(queue.extend_visibility(&waits).await);
    let failures: Vec<_> =
        again.iter().map(|record| json!({ "itemIdentifier": record.message_id })).collect();
    json!({ "batchItemFailures": failures })
}

fn backoff(receives: u32) -> Duration {
    INITIAL_BACKOFF.saturating_mul(1 << receives.saturating_sub(1).min(10)).min(MAX_BACKOFF)
}

/// Without it messages come back by the queue's own time: no more than a delay.
fn log_visibility_error(outcome: Result<(), String>) {
    if let Err(error) = outcome {
        tracing::warn!(event = "visibility_change_failed", error, "failed to extend the visibility timeout");
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
        let goes_on = || MessageAction::Continue(message().next_continuation());
        let buried = MessageAction::DeadLetter("InvalidLogRecord", "InvalidLogRecord, in words".into());
        let service = |kind| Some(FailureKind::Service(kind));
        for (outcome, more, kind, receives, expected) in [
            (StreamOutcome::Committed, false, None, 1, MessageAction::Delete),
            (StreamOutcome::UpToDate, false, None, 9, MessageAction::Delete),
            (StreamOutcome::Superseded, false, None, 1, MessageAction::Delete),
            (StreamOutcome::Committed, true, None, 9, goes_on()),
            (StreamOutcome::UpToDate, true, None, 1, goes_on()),
            // The time was up, which is nobody's fault.
            (StreamOutcome::NotStarted, true, None, 9, goes_on()),
            (StreamOutcome::Failed, true, service(ErrorKind::Forbidden), 1, MessageAction::Delete),
            (StreamOutcome::Failed, true, service(ErrorKind::CredentialRejected), 1, MessageAction::Delete),
            (StreamOutcome::Failed, true, service(ErrorKind::Unavailable), 4, MessageAction::Retry),
            (StreamOutcome::Failed, true, Some(FailureKind::InvalidLogRecord), 5, buried),
        ] {
            let stream = stream(outcome, more, kind);
            assert_eq!(message_action(&stream, &message(), &record(receives), 5), expected, "{stream:?}");
        }
    }

    #[test]
    fn backoff_doubles_with_each_receive() {
        let waits: Vec<_> = (0..9).map(|receives| backoff(receives).as_secs()).collect();
        assert_eq!(waits, [30, 30, 60, 120, 240, 480, 900, 900, 900]);
        assert_eq!(backoff(u32::MAX), MAX_BACKOFF);
    }
}
