//! Local SQS queues, and Lambda's event source mapping.
//!
//! A standard queue delivers in order and without duplicates. A FIFO queue keeps the order
//! within a group, delivers no message of a group while another one is in flight, and drops
//! repeated deduplication ids. Each queue has a dead-letter queue. Signatures are not checked.
//! Time is real; [`Queue::make_visible`] and [`Queue::expire_deduplication_window`] skip it.

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

/// A queue. Its server stops when the last of its queues is dropped.
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
    /// Starts an empty standard queue on its own server. The visibility timeout is 30
    /// seconds, and the number of receives is unlimited.
    ///
    /// # Errors
    /// When no port is available.
    pub async fn start() -> io::Result<Self> {
        Self::start_named("signals").await
    }

    /// Starts an empty FIFO queue without content-based deduplication.
    ///
    /// # Errors
    /// When no port is available.
    pub async fn start_fifo() -> io::Result<Self> {
        Self::start_named("signals.fifo").await
    }

    /// Starts an empty queue with this name, which is FIFO if the name ends with `.fifo`.
    ///
    /// # Errors
    /// When no port is available.
    pub async fn start_named(name: &str) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let server = Arc::new(QueueServer::new(listener.local_addr()?));
        let serving = Arc::new(ServerTask(tokio::spawn(protocol::serve(listener, Arc::clone(&server)))));
        Ok(Self { shared: server.create(name), server, serving })
    }

    /// Creates another queue on the same server, or returns the existing one with this
    /// name.
    pub fn create_sibling(&self, name: &str) -> Self {
        self.with(self.server.create(name))
    }

    /// The dead-letter queue. A dead-letter queue returns itself.
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

    /// The base URL of the service.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.server.address)
    }

    /// Configures the function to use this service. Its keys do not change.
    pub fn configure(&self, function: LambdaFunction) -> LambdaFunction {
        function.env("AWS_ENDPOINT_URL_SQS", self.endpoint()).env("AWS_REGION", REGION)
    }

    /// Sets the visibility timeout.
    pub fn set_visibility_timeout(&self, timeout: Duration) {
        self.shared.state().visibility_timeout = timeout;
    }

    /// Sets the number of receives after which a message moves to the dead-letter queue. As
    /// on SQS, it moves when it would be received once more.
    pub fn set_max_receive_count(&self, count: Option<u32>) {
        self.shared.state().max_receive_count = count;
    }

    /// Fails the next requests to send with an internal error, without effect. A batch is
    /// one request. Clients retry such a request.
    pub fn fail_next_sends(&self, requests: usize) {
        self.shared.state().failing_sends = requests;
    }

    /// Fails all requests to send after this many more; `None` fails none.
    pub fn fail_sends_after(&self, requests: Option<usize>) {
        let mut state = self.shared.state();
        state.last_successful_send = requests.map(|requests| state.send_requests + requests);
    }

    /// The number of requests to send, including failed ones.
    pub fn send_requests(&self) -> usize {
        self.shared.state().send_requests
    }

    /// The number of requests to the server. Those of an event source are not included.
    pub fn requests(&self) -> u64 {
        self.server.requests.load(Ordering::Relaxed)
    }

    /// The number of deleted messages.
    pub fn deleted(&self) -> u64 {
        *self.shared.deleted.borrow()
    }

    /// Waits for this number of deleted messages.
    pub async fn wait_for_deleted(&self, number: u64) {
        // The sender lives as long as the queue.
        drop(self.shared.deleted.subscribe().wait_for(|deleted| *deleted >= number).await);
    }

    /// Whether no message is visible, delayed or in flight.
    pub fn is_empty(&self) -> bool {
        let counts = self.shared.state().counts();
        counts.visible + counts.in_flight + counts.delayed == 0
    }

    /// Sends a message and returns its id. On a FIFO queue it has its own group.
    pub fn send(&self, body: impl Into<String>) -> String {
        let number = self.shared.state().next_number();
        self.enqueue(body.into(), self.shared.is_fifo().then(|| format!("alone-{number}")))
    }

    /// Sends a message to a group. On a FIFO queue it has its own deduplication id.
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

    /// Ends every visibility timeout and delay.
    pub fn make_visible(&self) {
        self.shared.state().make_visible();
        self.shared.changed.notify_waiters();
    }

    /// Ends the five-minute deduplication window of a FIFO queue.
    pub fn expire_deduplication_window(&self) {
        self.shared.state().duplicates.clear();
    }

    /// The visible and the delayed messages.
    pub fn messages(&self) -> Vec<Message> {
        self.shared.state().messages()
    }

    /// The messages in flight.
    pub fn in_flight(&self) -> Vec<Message> {
        self.shared.state().in_flight()
    }

    /// The messages in the dead-letter queue.
    pub fn dead_letters(&self) -> Vec<Message> {
        self.dead_letter_queue().messages()
    }
}
