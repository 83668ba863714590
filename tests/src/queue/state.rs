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

use super::{duplicates::Duplicates, line::Line};

/// The messages of all queues, whose ids differ: a dead letter keeps its own.
static MESSAGES: AtomicU64 = AtomicU64::new(1);

/// A message as the queue holds it.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// Its id.
    pub id: String,
    /// Its body.
    pub body: String,
    /// Its attributes, in the form of the service's requests.
    pub attributes: Map<String, Value>,
    /// How often it was received.
    pub receives: u32,
    /// Its group, without which nothing enters a FIFO queue.
    pub group: Option<String>,
    /// Its deduplication id, on a FIFO queue.
    pub deduplication_id: Option<String>,
    /// Its place in the order of all messages, on a FIFO queue.
    pub sequence_number: Option<String>,
    /// The queue's ARN that it was a dead letter of.
    pub dead_letter_of: Option<String>,
    sent_ms: i64,
    first_received_ms: i64,
    /// What it is locked with.
    lock: Arc<str>,
}

impl Message {
    /// What the service itself says of it.
    pub(super) fn system_attributes(&self) -> Value {
        let mut all = json!({
            "ApproximateFirstReceiveTimestamp": self.first_received_ms.to_string(),
            "ApproximateReceiveCount": self.receives.to_string(),
            "SenderId": "AIDALOOPBACK",
            "SentTimestamp": self.sent_ms.to_string(),
        });
        let others = [
            ("MessageGroupId", &self.group),
            ("MessageDeduplicationId", &self.deduplication_id),
            ("SequenceNumber", &self.sequence_number),
            ("DeadLetterQueueSourceArn", &self.dead_letter_of),
        ];
        for (name, value) in others {
            if let Some(value) = value {
                all[name] = value.as_str().into();
            }
        }
        all
    }
}

/// A message that is to go into the queue.
#[derive(Debug, Default)]
pub(super) struct Sending {
    pub(super) body: String,
    pub(super) attributes: Map<String, Value>,
    pub(super) delay: Duration,
    pub(super) group: Option<String>,
    pub(super) deduplication_id: Option<String>,
}

/// A message that was accepted.
#[derive(Debug, Clone)]
pub(super) struct Sent {
    pub(super) id: String,
    pub(super) sequence_number: Option<String>,
}

/// A message in somebody's hands.
#[derive(Debug)]
pub(super) struct Received {
    pub(super) message: Message,
    pub(super) receipt: String,
}

/// What a receipt is good for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Receipt {
    /// It is that of the last receive of a message that is here.
    Last,
    /// The message was received again or came back.
    Stale,
    /// The message was deleted.
    Gone,
    /// It was never given out.
    Invalid,
}

/// How many messages there are of each kind.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) visible: usize,
    pub(super) in_flight: usize,
    pub(super) delayed: usize,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) visibility_timeout: Duration,
    pub(super) max_receive_count: Option<u32>,
    pub(super) failing: usize,
    /// The request to send after which all fail.
    pub(super) last_send: Option<usize>,
    pub(super) send_requests: usize,
    pub(super) duplicates: Duplicates,
    fifo: bool,
    sent: u64,
    messages: BTreeMap<u64, Message>,
    line: Line,
    hidden: BTreeMap<u64, Instant>,
    due: BTreeSet<(Instant, u64)>,
}

impl State {
    pub(super) fn new(fifo: bool) -> Self {
        Self {
            visibility_timeout: Duration::from_secs(30),
            max_receive_count: None,
            failing: 0,
            last_send: None,
            send_requests: 0,
            duplicates: Duplicates::default(),
            fifo,
            sent: 0,
            messages: BTreeMap::new(),
            line: Line::default(),
            hidden: BTreeMap::new(),
            due: BTreeSet::new(),
        }
    }

    /// The number of the message that enters next.
    pub(super) fn next_number(&self) -> u64 {
        self.sent + 1
    }

    /// Takes a message in. One that repeats another is accepted and dropped, and
    /// what is said of it is what was said of the other.
    pub(super) fn send(&mut self, sending: Sending) -> Sent {
        let Sending { body, attributes, delay, group, deduplication_id } = sending;
        if let Some(before) = deduplication_id.as_deref().and_then(|id| self.duplicates.find(id)) {
            return before;
        }
        let number = MESSAGES.fetch_add(1, Ordering::Relaxed);
        let message = Message {
            lock: "".into(),
            id: format!("5f4dcc3b-0000-4000-8000-{number:012x}"),
            body,
            attributes,
            receives: 0,
            group,
            deduplication_id,
            sequence_number: None,
            dead_letter_of: None,
            sent_ms: Timestamp::now().as_millisecond(),
            first_received_ms: 0,
        };
        let repeated_by = message.deduplication_id.clone();
        let sent = self.enter(message, delay);
        if let Some(id) = repeated_by {
            self.duplicates.remember(id, sent.clone());
        }
        sent
    }

    /// Takes in the dead letter of another queue, which keeps its id and what it
    /// went through.
    pub(super) fn adopt(&mut self, message: Message, from: String) {
        self.enter(Message { dead_letter_of: Some(from), ..message }, Duration::ZERO);
    }

    fn enter(&mut self, mut message: Message, delay: Duration) -> Sent {
        self.sent += 1;
        let number = self.sent;
        message.lock = match &message.group {
            Some(group) if self.fifo => group.as_str().into(),
            _ => number.to_string().into(),
        };
        message.sequence_number = self.fifo.then(|| format!("188{number:017}"));
        self.line.join(&message.lock, number);
        if !delay.is_zero() {
            self.line.take(&message.lock, number);
            self.hide(number, delay);
        }
        let sent = Sent { id: message.id.clone(), sequence_number: message.sequence_number.clone() };
        self.messages.insert(number, message);
        sent
    }

    /// Hands out up to `most` messages, which go out of sight for a while. Those
    /// that were handed out too often come second: they are here no longer.
    pub(super) fn receive(&mut self, most: usize, hidden: Duration) -> (Vec<Received>, Vec<Message>) {
        self.surface();
        let (mut received, mut dead) = (Vec::new(), Vec::new());
        // As many as there are of one group before another has its turn.
        let mut next = None;
        while received.len() < most
            && let Some(number) = next.take().or_else(|| self.line.first())
            && let Some(message) = self.messages.get_mut(&number)
        {
            let lock = Arc::clone(&message.lock);
            next = self.line.after(&lock, number);
            if self.max_receive_count.is_some_and(|most| message.receives >= most) {
                self.line.leave(&lock, number, false);
                dead.extend(self.messages.remove(&number));
                continue;
            }
            message.receives += 1;
            if message.receives == 1 {
                message.first_received_ms = Timestamp::now().as_millisecond();
            }
            let message = message.clone();
            let receipt = format!("receipt/{number}/{}", message.receives);
            received.push(Received { message, receipt });
            self.line.take(&lock, number);
            self.hide(number, hidden);
        }
        (received, dead)
    }

    /// Deletes the message of a receipt that is the last. On a FIFO queue it has to
    /// be in flight still.
    pub(super) fn delete(&mut self, receipt: &str) -> Receipt {
        self.surface();
        let (number, kind) = self.find(receipt);
        if kind != Receipt::Last {
            return kind;
        }
        let due = self.hidden.remove(&number);
        if self.fifo && due.is_none() {
            return Receipt::Stale;
        }
        if let Some(moment) = due {
            self.due.remove(&(moment, number));
        }
        if let Some(message) = self.messages.remove(&number) {
            self.line.leave(&message.lock, number, due.is_some());
        }
        kind
    }

    pub(super) fn change_visibility(&mut self, receipt: &str, hidden: Duration) -> Receipt {
        self.surface();
        let (number, kind) = self.find(receipt);
        if kind != Receipt::Last {
            return kind;
        }
        let Some(moment) = self.hidden.get(&number) else { return Receipt::Stale };
        self.due.remove(&(*moment, number));
        self.hide(number, hidden);
        kind
    }

    pub(super) fn make_visible(&mut self) {
        let hidden: Vec<_> = self.hidden.keys().copied().collect();
        hidden.into_iter().for_each(|number| self.show(number));
    }

    /// Whether a message can be received now.
    pub(super) fn is_waiting(&mut self) -> bool {
        self.surface();
        self.line.free() > 0
    }

    /// When the next message comes into sight by itself.
    pub(super) fn next_visible(&self) -> Option<Instant> {
        self.due.first().map(|(moment, _)| *moment)
    }

    pub(super) fn counts(&mut self) -> Counts {
        self.surface();
        let received = |number: &&u64| self.messages.get(number).is_some_and(|message| message.receives > 0);
        let in_flight = self.hidden.keys().filter(received).count();
        Counts {
            visible: self.messages.len() - self.hidden.len(),
            in_flight,
            delayed: self.hidden.len() - in_flight,
        }
    }

    pub(super) fn messages(&mut self) -> Vec<Message> {
        self.surface();
        self.select(|number, message| !self.hidden.contains_key(&number) || message.receives == 0)
    }

    pub(super) fn in_flight(&mut self) -> Vec<Message> {
        self.surface();
        self.select(|number, message| self.hidden.contains_key(&number) && message.receives > 0)
    }

    fn select(&self, of: impl Fn(u64, &Message) -> bool) -> Vec<Message> {
        let chosen = self.messages.iter().filter(|(number, message)| of(**number, message));
        chosen.map(|(_, message)| message.clone()).collect()
    }

    fn find(&self, receipt: &str) -> (u64, Receipt) {
        let numbers = receipt.strip_prefix("receipt/").and_then(|rest| rest.split_once('/'));
        let numbers = numbers.and_then(|(number, receives)| {
            Some((number.parse::<u64>().ok()?, receives.parse::<u32>().ok()?))
        });
        match numbers {
            Some((number, _)) if number > self.sent => (number, Receipt::Invalid),
            Some((number, receives)) => match self.messages.get(&number) {
                Some(message) if message.receives == receives => (number, Receipt::Last),
                Some(_) => (number, Receipt::Stale),
                None => (number, Receipt::Gone),
            },
            None => (0, Receipt::Invalid),
        }
    }

    fn hide(&mut self, number: u64, time: Duration) {
        let moment = Instant::now() + time;
        self.hidden.insert(number, moment);
        self.due.insert((moment, number));
    }

    fn show(&mut self, number: u64) {
        let Some(moment) = self.hidden.remove(&number) else { return };
        self.due.remove(&(moment, number));
        if let Some(message) = self.messages.get(&number) {
            self.line.put_back(&message.lock);
        }
    }

    /// Brings into sight what has been hidden long enough.
    fn surface(&mut self) {
        let now = Instant::now();
        while let Some((moment, number)) = self.due.first().copied()
            && moment <= now
        {
            self.show(number);
        }
    }
}
