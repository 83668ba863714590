//! Queues, shared between the server and the tests.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::AtomicU64},
    time::{Duration, Instant},
};

use tokio::sync::{Notify, watch};

use super::state::{QueueState, ReceiptStatus, ReceivedMessage};
use crate::aws::{ACCOUNT, REGION};

/// The suffix of the name of a FIFO queue.
const FIFO_SUFFIX: &str = ".fifo";

/// The queues at one address.
#[derive(Debug)]
pub(super) struct QueueServer {
    /// The requests that have arrived.
    pub(super) requests: AtomicU64,
    pub(super) address: SocketAddr,
    queues: Mutex<BTreeMap<String, Arc<SharedQueue>>>,
}

#[derive(Debug)]
pub(super) struct SharedQueue {
    name: String,
    address: SocketAddr,
    state: Mutex<QueueState>,
    /// Notified when a message may have become visible.
    pub(super) changed: Notify,
    /// The number of deleted messages.
    pub(super) deleted: watch::Sender<u64>,
    /// The dead-letter queue; `None` for a dead-letter queue itself.
    pub(super) dead_letters: Option<Arc<Self>>,
}

impl QueueServer {
    pub(super) fn new(address: SocketAddr) -> Self {
        Self { requests: AtomicU64::new(0), address, queues: Mutex::default() }
    }

    /// The queue with this name. If it does not exist, creates it and its dead-letter
    /// queue.
    pub(super) fn create(&self, name: &str) -> Arc<SharedQueue> {
        if let Some(queue) = self.find(name) {
            return queue;
        }
        let (stem, end) = name.strip_suffix(FIFO_SUFFIX).map_or((name, ""), |stem| (stem, FIFO_SUFFIX));
        let dead = Arc::new(SharedQueue::new(format!("{stem}-dead-letters{end}"), self.address, None));
        let queue = Arc::new(SharedQueue::new(name.to_owned(), self.address, Some(Arc::clone(&dead))));
        let mut queues = self.queues();
        for queue in [&dead, &queue] {
            queues.insert(queue.name.clone(), Arc::clone(queue));
        }
        queue
    }

    pub(super) fn find(&self, name: &str) -> Option<Arc<SharedQueue>> {
        self.queues().get(name).cloned()
    }

    /// The queue with this URL.
    pub(super) fn find_by_url(&self, url: &str) -> Option<Arc<SharedQueue>> {
        let (_, name) = url.rsplit_once('/')?;
        self.find(name).filter(|queue| queue.url() == url)
    }

    fn queues(&self) -> MutexGuard<'_, BTreeMap<String, Arc<SharedQueue>>> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SharedQueue {
    fn new(name: String, address: SocketAddr, dead_letters: Option<Arc<Self>>) -> Self {
        let state = Mutex::new(QueueState::new(name.ends_with(FIFO_SUFFIX)));
        Self { name, address, state, changed: Notify::new(), deleted: watch::Sender::default(), dead_letters }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, QueueState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}/{ACCOUNT}/{}", self.address, self.name)
    }

    pub(super) fn arn(&self) -> String {
        format!("arn:aws:sqs:{REGION}:{ACCOUNT}:{}", self.name)
    }

    pub(super) fn is_fifo(&self) -> bool {
        self.name.ends_with(FIFO_SUFFIX)
    }

    /// Receives messages, with the visibility timeout of the queue by default, and moves
    /// messages to the dead-letter queue.
    pub(super) fn receive(&self, most: usize, hidden: Option<Duration>) -> Vec<ReceivedMessage> {
        let (received, dead) = {
            let mut state = self.state();
            let hidden = hidden.unwrap_or(state.visibility_timeout);
            state.receive(most, hidden)
        };
        if let Some(queue) = &self.dead_letters
            && !dead.is_empty()
        {
            dead.into_iter().for_each(|message| queue.state().add_dead_letter(message, self.arn()));
            queue.changed.notify_waiters();
        }
        received
    }

    pub(super) fn delete(&self, receipt: &str) -> ReceiptStatus {
        let kind = self.state().delete(receipt);
        if kind == ReceiptStatus::Current {
            self.deleted.send_modify(|deleted| *deleted += 1);
        }
        // Other messages of its group may be available now.
        self.changed.notify_waiters();
        kind
    }

    /// Waits until a message may be visible, or until this moment.
    pub(super) async fn wait(&self, until: Option<Instant>) {
        // Registered before the state is read, so that no change is missed.
        let changed = self.changed.notified();
        tokio::pin!(changed);
        changed.as_mut().enable();
        let next = {
            let mut state = self.state();
            if state.has_visible() {
                return;
            }
            state.next_visible_at()
        };
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
