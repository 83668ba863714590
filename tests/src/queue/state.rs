//! The messages of a queue.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use jiff::Timestamp;
use md5::{Digest, Md5};
use serde_json::{Map, Value, json};

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
    sent_ms: i64,
    first_received_ms: i64,
}

impl Message {
    /// What the service itself says of it.
    pub(super) fn system_attributes(&self) -> Value {
        json!({
            "ApproximateFirstReceiveTimestamp": self.first_received_ms.to_string(),
            "ApproximateReceiveCount": self.receives.to_string(),
            "SenderId": "AIDALOOPBACK",
            "SentTimestamp": self.sent_ms.to_string(),
        })
    }
}

/// A message in somebody's hands.
#[derive(Debug)]
pub(super) struct Received {
    pub(super) message: Message,
    pub(super) receipt: String,
}

/// What a receipt is good for.
#[derive(Debug, PartialEq)]
pub(super) enum Receipt {
    /// It is that of the last receive of a message that is here.
    Last,
    /// The message was received again, came back or is gone.
    Stale,
    /// It was never given out.
    Invalid,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) visibility_timeout: Duration,
    pub(super) max_receive_count: Option<u32>,
    pub(super) failing: usize,
    pub(super) send_requests: usize,
    pub(super) dead: Vec<Message>,
    sent: u64,
    messages: BTreeMap<u64, Message>,
    waiting: BTreeSet<u64>,
    hidden: BTreeMap<u64, Instant>,
    due: BTreeSet<(Instant, u64)>,
}

impl Default for State {
    fn default() -> Self {
        Self {
            visibility_timeout: Duration::from_secs(30),
            max_receive_count: None,
            failing: 0,
            send_requests: 0,
            dead: Vec::new(),
            sent: 0,
            messages: BTreeMap::new(),
            waiting: BTreeSet::new(),
            hidden: BTreeMap::new(),
            due: BTreeSet::new(),
        }
    }
}

impl State {
    pub(super) fn send(&mut self, body: String, attributes: Map<String, Value>, delay: Duration) -> String {
        self.sent += 1;
        let id = format!("5f4dcc3b-0000-4000-8000-{:012x}", self.sent);
        let now = Timestamp::now().as_millisecond();
        let message =
            Message { id: id.clone(), body, attributes, receives: 0, sent_ms: now, first_received_ms: 0 };
        self.messages.insert(self.sent, message);
        if delay.is_zero() {
            self.waiting.insert(self.sent);
        } else {
            self.hide(self.sent, delay);
        }
        id
    }

    pub(super) fn receive(&mut self, most: usize, hidden: Duration) -> Vec<Received> {
        self.surface();
        let mut received = Vec::new();
        while received.len() < most
            && let Some(number) = self.waiting.pop_first()
        {
            let Some(message) = self.messages.get_mut(&number) else { continue };
            if self.max_receive_count.is_some_and(|most| message.receives >= most) {
                self.dead.extend(self.messages.remove(&number));
                continue;
            }
            message.receives += 1;
            if message.receives == 1 {
                message.first_received_ms = Timestamp::now().as_millisecond();
            }
            let message = message.clone();
            let receipt = format!("receipt/{number}/{}", message.receives);
            received.push(Received { message, receipt });
            self.hide(number, hidden);
        }
        received
    }

    pub(super) fn delete(&mut self, receipt: &str) -> Receipt {
        let (number, kind) = self.find(receipt);
        if kind == Receipt::Last {
            self.show(number);
            self.waiting.remove(&number);
            self.messages.remove(&number);
        }
        kind
    }

    pub(super) fn change_visibility(&mut self, receipt: &str, hidden: Duration) -> Receipt {
        self.surface();
        let (number, kind) = self.find(receipt);
        if kind == Receipt::Last && !self.hidden.contains_key(&number) {
            return Receipt::Stale;
        }
        if kind == Receipt::Last {
            self.show(number);
            self.waiting.remove(&number);
            self.hide(number, hidden);
        }
        kind
    }

    pub(super) fn make_visible(&mut self) {
        let hidden: Vec<_> = self.hidden.keys().copied().collect();
        hidden.into_iter().for_each(|number| self.show(number));
    }

    /// How many messages can be received now.
    pub(super) fn waiting(&mut self) -> usize {
        self.surface();
        self.waiting.len()
    }

    /// When the next message comes into sight by itself.
    pub(super) fn next_visible(&self) -> Option<Instant> {
        self.due.first().map(|(moment, _)| *moment)
    }

    pub(super) fn messages(&mut self) -> Vec<Message> {
        self.surface();
        self.select(|number, message| self.waiting.contains(&number) || message.receives == 0)
    }

    pub(super) fn in_flight(&mut self) -> Vec<Message> {
        self.surface();
        self.select(|number, message| self.hidden.contains_key(&number) && message.receives > 0)
    }

    pub(super) fn delayed(&mut self) -> usize {
        self.surface();
        self.select(|number, message| self.hidden.contains_key(&number) && message.receives == 0).len()
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
            Some((number, receives)) => {
                let last = self.messages.get(&number).is_some_and(|message| message.receives == receives);
                (number, if last { Receipt::Last } else { Receipt::Stale })
            }
            None => (0, Receipt::Invalid),
        }
    }

    fn hide(&mut self, number: u64, time: Duration) {
        let moment = Instant::now() + time;
        self.hidden.insert(number, moment);
        self.due.insert((moment, number));
    }

    fn show(&mut self, number: u64) {
        if let Some(moment) = self.hidden.remove(&number) {
            self.due.remove(&(moment, number));
            self.waiting.insert(number);
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

/// The MD5 of a body as the service gives it.
pub(super) fn md5_of_body(body: &str) -> String {
    hex(Md5::digest(body))
}

/// The MD5 of attributes as the service gives it; none of none.
pub(super) fn md5_of_attributes(attributes: &Map<String, Value>) -> Option<String> {
    let mut bytes = Vec::new();
    let mut add = |part: &[u8], kind: Option<u8>| {
        bytes.extend(kind);
        bytes.extend(u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
        bytes.extend(part);
    };
    // A map of serde_json is sorted by name, as it has to be.
    for (name, attribute) in attributes {
        add(name.as_bytes(), None);
        add(attribute["DataType"].as_str().unwrap_or_default().as_bytes(), None);
        match (attribute["StringValue"].as_str(), attribute["BinaryValue"].as_str()) {
            (Some(text), _) => add(text.as_bytes(), Some(1)),
            (None, binary) => {
                add(&BASE64_STANDARD.decode(binary.unwrap_or_default()).unwrap_or_default(), Some(2));
            }
        }
    }
    (!attributes.is_empty()).then(|| hex(Md5::digest(&bytes)))
}

fn hex(bytes: impl AsRef<[u8]>) -> String {
    bytes.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}
