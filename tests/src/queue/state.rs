//! The messages of a queue.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{duplicates::DeduplicationWindow, message_order::MessageOrder};

/// The next message id over all queues: a message keeps its id in the dead-letter queue.
static NEXT_MESSAGE_ID: AtomicU64 = AtomicU64::new(1);

/// A message in the queue.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// Its id.
    pub id: String,
    /// Its body.
    pub body: String,
    /// Its attributes, in the form of the service's requests.
    pub attributes: Map<String, Value>,
    /// The number of receives.
    pub receive_count: u32,
    /// Its group; required on a FIFO queue.
    pub group: Option<String>,
    /// Its deduplication id, on a FIFO queue.
    pub deduplication_id: Option<String>,
    /// Its sequence number, on a FIFO queue.
    pub sequence_number: Option<String>,
    /// The ARN of the queue that it came from, in a dead-letter queue.
    pub dead_letter_source_arn: Option<String>,
    sent_ms: i64,
    first_received_ms: i64,
    /// The group that locks it.
    group_lock: Arc<str>,
}

impl Message {
    /// The system attributes.
    pub(super) fn system_attributes(&self) -> Value {
        let mut all = json!({
            "ApproximateFirstReceiveTimestamp": self.first_received_ms.to_string(),
            "ApproximateReceiveCount": self.receive_count.to_string(),
            "SenderId": "AIDALOOPBACK",
            "SentTimestamp": self.sent_ms.to_string(),
        });
        let others = [
            ("MessageGroupId", &self.group),
            ("MessageDeduplicationId", &self.deduplication_id),
            ("SequenceNumber", &self.sequence_number),
            ("DeadLetterQueueSourceArn", &self.dead_letter_source_arn),
        ];
        for (name, value) in others {
            if let Some(value) = value {
                all[name] = value.as_str().into();
            }
        }
        all
    }
}

/// A message to send.
#[derive(Debug, Default)]
pub(super) struct NewMessage {
    pub(super) body: String,
    pub(super) attributes: Map<String, Value>,
    pub(super) delay: Duration,
    pub(super) group: Option<String>,
    pub(super) deduplication_id: Option<String>,
}

/// An accepted message.
#[derive(Debug, Clone)]
pub(super) struct SentMessage {
    pub(super) id: String,
    pub(super) sequence_number: Option<String>,
}

/// A received message.
#[derive(Debug)]
pub(super) struct ReceivedMessage {
    pub(super) message: Message,
    pub(super) receipt_handle: String,
}

/// The validity of a receipt handle.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum ReceiptStatus {
    /// The handle of the last receive of an existing message.
    Current,
    /// The message was received again or became visible.
    Stale,
    /// The message was deleted.
    Deleted,
    /// The handle is unknown.
    Invalid,
}

/// The numbers of messages by state.
#[derive(Debug, Default)]
pub(super) struct MessageCounts {
    pub(super) visible: usize,
    pub(super) in_flight: usize,
    pub(super) delayed: usize,
}

#[derive(Debug)]
pub(super) struct QueueState {
    pub(super) visibility_timeout: Duration,
    pub(super) max_receive_count: Option<u32>,
    pub(super) failing_sends: usize,
    /// The request to send after which all fail.
    pub(super) last_successful_send: Option<usize>,
    pub(super) send_requests: usize,
    pub(super) duplicates: DeduplicationWindow,
    fifo: bool,
    sent_count: u64,
    messages: BTreeMap<u64, Message>,
    order: MessageOrder,
    invisible: BTreeMap<u64, Instant>,
    visible_at: BTreeSet<(Instant, u64)>,
}

impl QueueState {
    pub(super) fn new(fifo: bool) -> Self {
        Self {
            visibility_timeout: Duration::from_secs(30),
            max_receive_count: None,
            failing_sends: 0,
            last_successful_send: None,
            send_requests: 0,
            duplicates: DeduplicationWindow::default(),
            fifo,
            sent_count: 0,
            messages: BTreeMap::new(),
            order: MessageOrder::default(),
            invisible: BTreeMap::new(),
            visible_at: BTreeSet::new(),
        }
    }

    /// The number of the next message.
    pub(super) fn next_number(&self) -> u64 {
        self.sent_count + 1
    }

    /// Adds a message. A duplicate is accepted and dropped, with the result of the first.
    pub(super) fn send(&mut self, sending: NewMessage) -> SentMessage {
        let NewMessage { body, attributes, delay, group, deduplication_id } = sending;
        if let Some(before) = deduplication_id.as_deref().and_then(|id| self.duplicates.find(id)) {
            return before;
        }
        let number = NEXT_MESSAGE_ID.fetch_add(1, Ordering::Relaxed);
        let message = Message {
            group_lock: "".into(),
            id: format!("5f4dcc3b-0000-4000-8000-{number:012x}"),
            body,
            attributes,
            receive_count: 0,
            group,
            deduplication_id,
            sequence_number: None,
            dead_letter_source_arn: None,
            sent_ms: Timestamp::now().as_millisecond(),
            first_received_ms: 0,
        };
        let repeated_by = message.deduplication_id.clone();
        let sent = self.insert(message, delay);
        if let Some(id) = repeated_by {
            self.duplicates.insert(id, sent.clone());
        }
        sent
    }

    /// Adds a message from another queue, with its id and its attributes.
    pub(super) fn add_dead_letter(&mut self, message: Message, from: String) {
        self.insert(Message { dead_letter_source_arn: Some(from), ..message }, Duration::ZERO);
    }

    fn insert(&mut self, mut message: Message, delay: Duration) -> SentMessage {
        self.sent_count += 1;
        let number = self.sent_count;
        message.group_lock = match &message.group {
            Some(group) if self.fifo => group.as_str().into(),
            _ => number.to_string().into(),
        };
        message.sequence_number = self.fifo.then(|| format!("188{number:017}"));
        self.order.push(&message.group_lock, number);
        if !delay.is_zero() {
            self.order.mark_in_flight(&message.group_lock, number);
            self.make_invisible(number, delay);
        }
        let sent = SentMessage { id: message.id.clone(), sequence_number: message.sequence_number.clone() };
        self.messages.insert(number, message);
        sent
    }

    /// Receives up to `most` messages, which become invisible. Also returns the messages
    /// over the receive limit, which leave the queue.
    pub(super) fn receive(&mut self, most: usize, hidden: Duration) -> (Vec<ReceivedMessage>, Vec<Message>) {
        self.expire_visibility_timeouts();
        let (mut received, mut dead) = (Vec::new(), Vec::new());
        // Takes the messages of one group before the next group.
        let mut next = None;
        while received.len() < most
            && let Some(number) = next.take().or_else(|| self.order.first())
            && let Some(message) = self.messages.get_mut(&number)
        {
            let lock = Arc::clone(&message.group_lock);
            next = self.order.next_in_group(&lock, number);
            if self.max_receive_count.is_some_and(|most| message.receive_count >= most) {
                self.order.remove(&lock, number, false);
                dead.extend(self.messages.remove(&number));
                continue;
            }
            message.receive_count += 1;
            if message.receive_count == 1 {
                message.first_received_ms = Timestamp::now().as_millisecond();
            }
            let message = message.clone();
            let receipt = format!("receipt/{number}/{}", message.receive_count);
            received.push(ReceivedMessage { message, receipt_handle: receipt });
            self.order.mark_in_flight(&lock, number);
            self.make_invisible(number, hidden);
        }
        (received, dead)
    }

    /// Deletes the message of the latest receipt handle. On a FIFO queue it has to be in
    /// flight.
    pub(super) fn delete(&mut self, receipt: &str) -> ReceiptStatus {
        self.expire_visibility_timeouts();
        let (number, kind) = self.find(receipt);
        if kind != ReceiptStatus::Current {
            return kind;
        }
        let due = self.invisible.remove(&number);
        if self.fifo && due.is_none() {
            return ReceiptStatus::Stale;
        }
        if let Some(moment) = due {
            self.visible_at.remove(&(moment, number));
        }
        if let Some(message) = self.messages.remove(&number) {
            self.order.remove(&message.group_lock, number, due.is_some());
        }
        kind
    }

    pub(super) fn change_visibility(&mut self, receipt: &str, hidden: Duration) -> ReceiptStatus {
        self.expire_visibility_timeouts();
        let (number, kind) = self.find(receipt);
        if kind != ReceiptStatus::Current {
            return kind;
        }
        let Some(moment) = self.invisible.get(&number) else { return ReceiptStatus::Stale };
        self.visible_at.remove(&(*moment, number));
        self.make_invisible(number, hidden);
        kind
    }

    pub(super) fn make_visible(&mut self) {
        let hidden: Vec<_> = self.invisible.keys().copied().collect();
        hidden.into_iter().for_each(|number| self.make_message_visible(number));
    }

    /// Whether a message is visible.
    pub(super) fn has_visible(&mut self) -> bool {
        self.expire_visibility_timeouts();
        self.order.available_groups() > 0
    }

    /// The time at which the next message becomes visible.
    pub(super) fn next_visible_at(&self) -> Option<Instant> {
        self.visible_at.first().map(|(moment, _)| *moment)
    }

    pub(super) fn counts(&mut self) -> MessageCounts {
        self.expire_visibility_timeouts();
        let received =
            |number: &&u64| self.messages.get(number).is_some_and(|message| message.receive_count > 0);
        let in_flight = self.invisible.keys().filter(received).count();
        MessageCounts {
            visible: self.messages.len() - self.invisible.len(),
            in_flight,
            delayed: self.invisible.len() - in_flight,
        }
    }

    pub(super) fn messages(&mut self) -> Vec<Message> {
        self.expire_visibility_timeouts();
        self.select(|number, message| !self.invisible.contains_key(&number) || message.receive_count == 0)
    }

    pub(super) fn in_flight(&mut self) -> Vec<Message> {
        self.expire_visibility_timeouts();
        self.select(|number, message| self.invisible.contains_key(&number) && message.receive_count > 0)
    }

    fn select(&self, of: impl Fn(u64, &Message) -> bool) -> Vec<Message> {
        let chosen = self.messages.iter().filter(|(number, message)| of(**number, message));
        chosen.map(|(_, message)| message.clone()).collect()
    }

    fn find(&self, receipt: &str) -> (u64, ReceiptStatus) {
        let numbers = receipt.strip_prefix("receipt/").and_then(|rest| rest.split_once('/'));
        let numbers = numbers.and_then(|(number, receives)| {
            Some((number.parse::<u64>().ok()?, receives.parse::<u32>().ok()?))
        });
        match numbers {
            Some((number, _)) if number > self.sent_count => (number, ReceiptStatus::Invalid),
            Some((number, receives)) => match self.messages.get(&number) {
                Some(message) if message.receive_count == receives => (number, ReceiptStatus::Current),
                Some(_) => (number, ReceiptStatus::Stale),
                None => (number, ReceiptStatus::Deleted),
            },
            None => (0, ReceiptStatus::Invalid),
        }
    }

    fn make_invisible(&mut self, number: u64, time: Duration) {
        let moment = Instant::now() + time;
        self.invisible.insert(number, moment);
        self.visible_at.insert((moment, number));
    }

    fn make_message_visible(&mut self, number: u64) {
        let Some(moment) = self.invisible.remove(&number) else { return };
        self.visible_at.remove(&(moment, number));
        if let Some(message) = self.messages.get(&number) {
            self.order.return_message(&message.group_lock);
        }
    }

    /// Makes messages visible whose timeout has passed.
    fn expire_visibility_timeouts(&mut self) {
        let now = Instant::now();
        while let Some((moment, number)) = self.visible_at.first().copied()
            && moment <= now
        {
            self.make_message_visible(number);
        }
    }
}
