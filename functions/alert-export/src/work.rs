//! The messages of a plan, worked off.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use futures_util::{StreamExt, stream::FuturesUnordered};
use serde_json::{Value, json};
use sophos_export::{FailureKind, Outcome, Report, StreamReport};
use tokio::time::MissedTickBehavior;

use crate::{
    config::{Config, Queues},
    fleet::Fleet,
    message::{Message, Record},
    queue::Queue,
};

/// How long messages are kept out of sight while they are worked on, and how
/// often that is said again. Those of a worker that dies come back within this.
const HIDDEN: Duration = Duration::from_secs(60);
const SAID_EVERY: Duration = Duration::from_secs(20);

/// How long a message that failed waits before it is tried again: twice as long
/// each time.
const FIRST_WAIT: Duration = Duration::from_secs(30);
const LONGEST_WAIT: Duration = Duration::from_secs(900);

/// What becomes of a message.
#[derive(Debug, PartialEq)]
enum Fate {
    /// It is done with.
    Done,
    /// It is done with, and the stream has more.
    GoesOn(Message),
    /// It comes back.
    Again,
    /// It is put aside, for this kind of reason, and this one.
    Buried(&'static str, String),
}

/// Works off a batch: each stream gets a turn. Answers as Lambda expects it,
/// and with what became of each stream.
pub(crate) async fn work(
    fleet: &Fleet,
    queue: &Queue,
    config: &Config,
    queues: &Queues,
    records: &[Record],
    stop_at: Duration,
) -> (Value, Report) {
    let mut report = Report::default();
    let mut fates: Vec<Option<Fate>> = records.iter().map(|_| None).collect();
    // Of several messages of one stream one run does the work.
    let mut streams: HashMap<String, (Message, Vec<usize>)> = HashMap::new();
    for (index, record) in records.iter().enumerate() {
        match record.read() {
            Ok(message) => {
                streams.entry(message.group()).or_insert_with(|| (message, Vec::new())).1.push(index)
            }
            Err(error) => fates[index] = Some(Fate::Buried("Unreadable", error)),
        }
    }
    let mut pending: Vec<_> = streams.values().flat_map(|(_, records)| records.clone()).collect();
    let mut running = FuturesUnordered::new();
    let mut waiting = streams.into_values();
    let mut say = tokio::time::interval(SAID_EVERY);
    say.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        while running.len() < config.settings.concurrency.max(1) {
            let Some((message, indices)) = waiting.next() else { break };
            running.push(async move {
                let stream = turn(fleet, config, queues, &message, stop_at).await;
                (message, indices, stream)
            });
        }
        tokio::select! {
            ended = running.next() => {
                let Some((message, indices, stream)) = ended else { break };
                pending.retain(|index| !indices.contains(index));
                for (number, index) in indices.into_iter().enumerate() {
                    let fate = fate(&stream, &message, &records[index], queues.attempts);
                    // One of them carries the stream on.
                    let fate = if number > 0 && matches!(fate, Fate::GoesOn(_)) { Fate::Done } else { fate };
                    fates[index] = Some(fate);
                }
                report.calls += stream.calls;
                report.throttled += stream.throttled;
                report.add(stream);
            }
            _ = say.tick() => {
                let hidden: Vec<_> = pending.iter().map(|index| (&records[*index], HIDDEN)).collect();
                told(queue.hide(&hidden).await);
            }
        }
    }
    drop(running);
    let tenants: HashSet<_> = report.streams.iter().map(|stream| &stream.tenant).collect();
    report.tenants = tenants.len() as u64;
    (settle(queue, records, fates).await, report)
}

/// One stream's turn.
async fn turn(
    fleet: &Fleet,
    config: &Config,
    queues: &Queues,
    message: &Message,
    stop_at: Duration,
) -> StreamReport {
    use sophos_api::Transport;

    let exporter = fleet.exporter(config, &message.credential);
    let stop_at = stop_at.min(fleet.transport().now() + queues.turn);
    exporter.export(&message.tenant, message.dataset, Some(stop_at)).await
}

fn fate(stream: &StreamReport, message: &Message, record: &Record, attempts: u32) -> Fate {
    match stream.outcome {
        Outcome::Committed | Outcome::UpToDate if !stream.more => Fate::Done,
        // Another run is at this stream.
        Outcome::Superseded => Fate::Done,
        Outcome::Failed => {
            // The next plan meets it as well as a retry would, and it is reported.
            if stream.error_kind.is_some_and(FailureKind::needs_a_person) {
                Fate::Done
            } else if record.receives >= attempts {
                let kind = stream.error_kind.map_or("Unknown", FailureKind::as_str);
                Fate::Buried(kind, stream.error.clone().unwrap_or_default())
            } else {
                Fate::Again
            }
        }
        _ => Fate::GoesOn(message.next_turn()),
    }
}

/// Carries out what becomes of the messages, and answers with those that come
/// back. What cannot be carried out comes back too.
async fn settle(queue: &Queue, records: &[Record], fates: Vec<Option<Fate>>) -> Value {
    let mut again = Vec::new();
    let mut next = Vec::new();
    let mut carriers = Vec::new();
    for (record, fate) in records.iter().zip(fates) {
        match fate.unwrap_or(Fate::Again) {
            Fate::Done => {}
            Fate::GoesOn(message) => {
                next.push(message);
                carriers.push(record);
            }
            Fate::Again => again.push(record),
            Fate::Buried(kind, reason) => {
                tracing::error!(
                    event = "message_dead_lettered",
                    message_id = record.id,
                    error_kind = kind,
                    reason,
                    "moving the message to the dead-letter queue"
                );
                match queue.bury(record, kind, &reason).await {
                    Ok(true) => {}
                    Ok(false) => again.push(record),
                    Err(error) => {
                        tracing::error!(
                            event = "dead_letter_failed",
                            message_id = record.id,
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
        tracing::error!(error, "what is unfinished comes back");
        again.extend(carriers);
    }
    let waits: Vec<_> = again.iter().map(|record| (*record, wait(record.receives))).collect();
    told(queue.hide(&waits).await);
    let failures: Vec<_> = again.iter().map(|record| json!({ "itemIdentifier": record.id })).collect();
    json!({ "batchItemFailures": failures })
}

fn wait(receives: u32) -> Duration {
    FIRST_WAIT.saturating_mul(1 << receives.saturating_sub(1).min(10)).min(LONGEST_WAIT)
}

/// Without it messages come back by the queue's own time: no more than a delay.
fn told(outcome: Result<(), String>) {
    if let Err(error) = outcome {
        tracing::warn!(error, "how long messages are out of sight was not changed");
    }
}

#[cfg(test)]
mod tests {
    use sophos_api::ErrorKind;
    use sophos_export::{Dataset, Member};

    use super::*;

    fn message() -> Message {
        Message {
            credential: "partner".into(),
            tenant: Member::of("ab"),
            dataset: Dataset::Events,
            plan: "1".into(),
            turn: 0,
        }
    }

    fn record(receives: u32) -> Record {
        Record { id: "1".into(), receipt: "r".into(), body: String::new(), receives }
    }

    fn stream(outcome: Outcome, more: bool, kind: Option<FailureKind>) -> StreamReport {
        let mut stream = StreamReport::new("ab", Dataset::Events, outcome);
        stream.more = more;
        stream.error_kind = kind;
        stream.error = kind.map(|kind| format!("{kind}, in words"));
        stream
    }

    #[test]
    fn what_becomes_of_a_message_follows_from_its_stream() {
        let goes_on = || Fate::GoesOn(message().next_turn());
        let buried = Fate::Buried("Unreadable", "Unreadable, in words".into());
        let service = |kind| Some(FailureKind::Service(kind));
        for (outcome, more, kind, receives, expected) in [
            (Outcome::Committed, false, None, 1, Fate::Done),
            (Outcome::UpToDate, false, None, 9, Fate::Done),
            (Outcome::Superseded, false, None, 1, Fate::Done),
            (Outcome::Committed, true, None, 9, goes_on()),
            (Outcome::UpToDate, true, None, 1, goes_on()),
            // The time was up, which is nobody's fault.
            (Outcome::NotStarted, true, None, 9, goes_on()),
            (Outcome::Failed, true, service(ErrorKind::Forbidden), 1, Fate::Done),
            (Outcome::Failed, true, service(ErrorKind::Credentials), 1, Fate::Done),
            (Outcome::Failed, true, service(ErrorKind::Unavailable), 4, Fate::Again),
            (Outcome::Failed, true, Some(FailureKind::Unreadable), 5, buried),
        ] {
            let stream = stream(outcome, more, kind);
            assert_eq!(fate(&stream, &message(), &record(receives), 5), expected, "{stream:?}");
        }
    }

    #[test]
    fn what_fails_again_waits_longer() {
        let waits: Vec<_> = (0..9).map(|receives| wait(receives).as_secs()).collect();
        assert_eq!(waits, [30, 30, 60, 120, 240, 480, 900, 900, 900]);
        assert_eq!(wait(u32::MAX), LONGEST_WAIT);
    }
}
