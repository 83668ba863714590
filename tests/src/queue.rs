//! A queue on loopback that speaks SQS, and Lambda's event source mapping, which
//! feeds a function from it.
//!
//! It is a standard queue that delivers in order and does not repeat itself on its
//! own. It does not check signatures. Time is real; [`Queue::make_visible`] lets a
//! test do without it.

mod protocol;
mod source;
mod state;

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use local_lambda::Function;
use tokio::{net::TcpListener, sync::Notify, task::JoinHandle};

use crate::aws::{ACCOUNT, REGION};

pub use source::{Drained, EventSource};
pub use state::Message;
use state::State;

const NAME: &str = "signals";

/// A queue that stops when dropped.
#[derive(Debug)]
pub struct Queue {
    shared: Arc<Shared>,
    serving: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    address: SocketAddr,
    state: Mutex<State>,
    /// Told whenever a message may have come into sight.
    changed: Notify,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn url(&self) -> String {
        format!("http://{}/{ACCOUNT}/{NAME}", self.address)
    }

    /// Waits until a message may be there, or until this moment.
    async fn wait(&self, until: Option<Instant>) {
        // Asked for before the look at the state, so that no change is missed.
        let changed = self.changed.notified();
        tokio::pin!(changed);
        changed.as_mut().enable();
        let (waiting, next) = {
            let mut state = self.state();
            (state.waiting(), state.next_visible())
        };
        if waiting > 0 {
            return;
        }
        let sleep = async {
            match [until, next].into_iter().flatten().min() {
                Some(moment) => tokio::time::sleep_until(moment.into()).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = changed => {}
            () = sleep => {}
        }
    }
}

fn arn() -> String {
    format!("arn:aws:sqs:{REGION}:{ACCOUNT}:{NAME}")
}

impl Queue {
    /// An empty queue with a visibility timeout of 30 seconds and no dead letters.
    ///
    /// # Errors
    /// When no port is to be had.
    pub async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared { address, state: Mutex::default(), changed: Notify::new() });
        let serving = tokio::spawn(protocol::serve(listener, Arc::clone(&shared)));
        Ok(Self { shared, serving })
    }

    /// The queue's URL, which names it in every request.
    pub fn url(&self) -> String {
        self.shared.url()
    }

    /// The address of the service.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.shared.address)
    }

    /// Gives the function what it needs to send here. Its keys stay as they are.
    pub fn admit(&self, function: Function) -> Function {
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
    pub fn fail_next(&self, requests: usize) {
        self.shared.state().failing = requests;
    }

    /// The requests to send that have arrived so far, the failed ones too.
    pub fn send_requests(&self) -> usize {
        self.shared.state().send_requests
    }

    /// Puts a message into the queue and returns its id.
    pub fn send(&self, body: impl Into<String>) -> String {
        let id = self.shared.state().send(body.into(), serde_json::Map::new(), Duration::ZERO);
        self.shared.changed.notify_waiters();
        id
    }

    /// Lets every visibility timeout and every delay run out at once.
    pub fn make_visible(&self) {
        self.shared.state().make_visible();
        self.shared.changed.notify_waiters();
    }

    /// The messages that wait to be received, and those that are delayed.
    pub fn messages(&self) -> Vec<Message> {
        self.shared.state().messages()
    }

    /// The messages that were received and neither deleted nor given back.
    pub fn in_flight(&self) -> Vec<Message> {
        self.shared.state().in_flight()
    }

    /// The dead letters.
    pub fn dead(&self) -> Vec<Message> {
        self.shared.state().dead.clone()
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        self.serving.abort();
    }
}
