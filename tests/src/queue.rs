//! Queues on loopback that speak SQS, and Lambda's event source mapping, which
//! feeds a function from one.
//!
//! A standard queue delivers in order here and does not repeat itself on its own. A
//! FIFO queue keeps the order within a group, hands out nothing of a group while
//! something of it is in flight, and drops what repeats a deduplication id. Each has
//! a queue for its dead letters. Signatures are not checked. Time is real;
//! [`Queue::make_visible`] and [`Queue::expire_deduplication_window`] let a test do without
//! it.

mod checksum;
mod duplicates;
mod event_source;
mod message_order;
mod poller;
mod protocol;
mod receive;
mod send;
mod shared;
mod state;

use std::{
    io,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use local_lambda::LambdaFunction;
use tokio::{net::TcpListener, task::JoinHandle};

use crate::aws::REGION;

pub use event_source::EventSource;
pub use poller::DrainReport;
pub use state::Message;

pub(crate) use poller::{Poller, SourceMessage, SourceQueue, attribute_record};

use shared::{QueueServer, SharedQueue};
use state::NewMessage;

/// A queue. Its server, which others may be at too, stops with the last of them
/// that is dropped.
#[derive(Debug)]
pub struct Queue {
    shared: Arc<SharedQueue>,
    server: Arc<QueueServer>,
    serving: Arc<ServerTask>,
}

#[derive(Debug)]
struct ServerTask(JoinHandle<()>);

impl Drop for ServerTask {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Queue {
    /// An empty standard queue with a visibility timeout of 30 seconds and no limit
    /// of receives, at a server of its own.
    ///
    /// # Errors
    /// When no port is to be had.
    pub async fn start() -> io::Result<Self> {
        Self::start_named("signals").await
    }

    /// The same, but a FIFO queue, without deduplication by content.
    ///
    /// # Errors
    /// When no port is to be had.
    pub async fn start_fifo() -> io::Result<Self> {
        Self::start_named("signals.fifo").await
    }

    /// The same with this name. It is a FIFO queue if the name ends with `.fifo`.
    ///
    /// # Errors
    /// When no port is to be had.
    pub async fn start_named(name: &str) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let server = Arc::new(QueueServer::new(listener.local_addr()?));
        let serving = Arc::new(ServerTask(tokio::spawn(protocol::serve(listener, Arc::clone(&server)))));
        Ok(Self { shared: server.create(name), server, serving })
    }

    /// Another queue at the same server; the one with this name if it is there.
    pub fn create_sibling(&self, name: &str) -> Self {
        self.with(self.server.create(name))
    }

    /// The queue of its dead letters, which has a URL and can be sent to, too. A
    /// queue of dead letters is its own.
    pub fn dead_letter_queue(&self) -> Self {
        self.with(Arc::clone(self.shared.dead_letters.as_ref().unwrap_or(&self.shared)))
    }

    fn with(&self, shared: Arc<SharedQueue>) -> Self {
        Self { shared, server: Arc::clone(&self.server), serving: Arc::clone(&self.serving) }
    }

    /// The queue's URL, which names it in every request.
    pub fn url(&self) -> String {
        self.shared.url()
    }

    /// The queue's ARN.
    pub fn arn(&self) -> String {
        self.shared.arn()
    }

    /// The address of the service.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.server.address)
    }

    /// Gives the function what it needs to send here. Its keys stay as they are.
    pub fn configure(&self, function: LambdaFunction) -> LambdaFunction {
        function.env("AWS_ENDPOINT_URL_SQS", self.endpoint()).env("AWS_REGION", REGION)
    }

    /// Sets how long a received message stays out of sight.
    pub fn set_visibility_timeout(&self, timeout: Duration) {
        self.shared.state().visibility_timeout = timeout;
    }

    /// Sets how often a message is handed out before it becomes a dead letter. It
    /// becomes one when it would be received once more, as on SQS.
    pub fn set_max_receive_count(&self, count: Option<u32>) {
        self.shared.state().max_receive_count = count;
    }

    /// Makes the next requests to send fail with an internal error and without
    /// effect. A batch is one request, and a client repeats what failed so.
    pub fn fail_next_sends(&self, requests: usize) {
        self.shared.state().failing_sends = requests;
    }

    /// Makes all requests to send fail after so many more; none with `None`.
    pub fn fail_sends_after(&self, requests: Option<usize>) {
        let mut state = self.shared.state();
        state.last_successful_send = requests.map(|requests| state.send_requests + requests);
    }

    /// The requests to send that have arrived so far, the failed ones too.
    pub fn send_requests(&self) -> usize {
        self.shared.state().send_requests
    }

    /// The requests of any kind that have arrived at its server so far. Those of an
    /// event source are not among them: Lambda makes them itself.
    pub fn requests(&self) -> u64 {
        self.server.requests.load(Ordering::Relaxed)
    }

    /// The messages that were deleted so far.
    pub fn deleted(&self) -> u64 {
        *self.shared.deleted.borrow()
    }

    /// Waits until so many messages were deleted.
    pub async fn wait_for_deleted(&self, number: u64) {
        // The sender lives as long as this queue does.
        drop(self.shared.deleted.subscribe().wait_for(|deleted| *deleted >= number).await);
    }

    /// Whether nothing waits and nothing is in flight.
    pub fn is_empty(&self) -> bool {
        let counts = self.shared.state().counts();
        counts.visible + counts.in_flight + counts.delayed == 0
    }

    /// Puts a message into the queue and returns its id. On a FIFO queue it is in a
    /// group of its own.
    pub fn send(&self, body: impl Into<String>) -> String {
        let number = self.shared.state().next_number();
        self.enqueue(body.into(), self.shared.is_fifo().then(|| format!("alone-{number}")))
    }

    /// The same with a group, and with a deduplication id of its own on a FIFO queue.
    pub fn send_to(&self, group: impl Into<String>, body: impl Into<String>) -> String {
        self.enqueue(body.into(), Some(group.into()))
    }

    fn enqueue(&self, body: String, group: Option<String>) -> String {
        let sent = {
            let mut state = self.shared.state();
            let number = state.next_number();
            let deduplication_id = self.shared.is_fifo().then(|| format!("put-{number}"));
            state.send(NewMessage { body, group, deduplication_id, ..NewMessage::default() })
        };
        self.shared.changed.notify_waiters();
        sent.id
    }

    /// Lets every visibility timeout and every delay run out at once.
    pub fn make_visible(&self) {
        self.shared.state().make_visible();
        self.shared.changed.notify_waiters();
    }

    /// Lets the five minutes pass in which a FIFO queue drops what repeats a
    /// deduplication id.
    pub fn expire_deduplication_window(&self) {
        self.shared.state().duplicates.clear();
    }

    /// The messages that wait to be received, and those that are delayed.
    pub fn messages(&self) -> Vec<Message> {
        self.shared.state().messages()
    }

    /// The messages that were received and neither deleted nor given back.
    pub fn in_flight(&self) -> Vec<Message> {
        self.shared.state().in_flight()
    }

    /// The dead letters that wait in their queue.
    pub fn dead_letters(&self) -> Vec<Message> {
        self.dead_letter_queue().messages()
    }
}
