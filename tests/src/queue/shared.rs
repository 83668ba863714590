//! Queues, as the service and the tests share them.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::AtomicU64},
    time::{Duration, Instant},
};

use tokio::sync::{Notify, watch};

use super::state::{QueueState, ReceiptStatus, ReceivedMessage};
use crate::aws::{ACCOUNT, REGION};

/// What the name of a FIFO queue ends with, and of no other.
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
    /// Told whenever a message may have come into sight.
    pub(super) changed: Notify,
    /// How many messages were deleted.
    pub(super) deleted: watch::Sender<u64>,
    /// Where its dead letters go; they have none of their own.
    pub(super) dead_letters: Option<Arc<Self>>,
}

impl QueueServer {
    pub(super) fn new(address: SocketAddr) -> Self {
        Self { requests: AtomicU64::new(0), address, queues: Mutex::default() }
    }

    /// The queue with this name, made if there is none, and one for its dead letters
    /// with it.
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

    /// Hands out messages, for the visibility timeout of the queue if no other is
    /// given, and buries the dead.
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
        // Others of its group may have been waiting for it.
        self.changed.notify_waiters();
        kind
    }

    /// Waits until a message may be there, or until this moment.
    pub(super) async fn wait(&self, until: Option<Instant>) {
        // Asked for before the look at the state, so that no change is missed.
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
