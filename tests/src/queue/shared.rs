//! Queues, as the service and the tests share them.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::AtomicU64},
    time::{Duration, Instant},
};

use tokio::sync::{Notify, watch};

use super::state::{Receipt, Received, State};
use crate::aws::{ACCOUNT, REGION};

/// What the name of a FIFO queue ends with, and of no other.
const FIFO: &str = ".fifo";

/// The queues at one address.
#[derive(Debug)]
pub(super) struct Server {
    /// The requests that have arrived.
    pub(super) requests: AtomicU64,
    pub(super) address: SocketAddr,
    queues: Mutex<BTreeMap<String, Arc<Shared>>>,
}

#[derive(Debug)]
pub(super) struct Shared {
    name: String,
    address: SocketAddr,
    state: Mutex<State>,
    /// Told whenever a message may have come into sight.
    pub(super) changed: Notify,
    /// How many messages were deleted.
    pub(super) deleted: watch::Sender<u64>,
    /// Where its dead letters go; they have none of their own.
    pub(super) dead_letters: Option<Arc<Self>>,
}

impl Server {
    pub(super) fn new(address: SocketAddr) -> Self {
        Self { requests: AtomicU64::new(0), address, queues: Mutex::default() }
    }

    /// The queue with this name, made if there is none, and one for its dead letters
    /// with it.
    pub(super) fn create(&self, name: &str) -> Arc<Shared> {
        if let Some(queue) = self.named(name) {
            return queue;
        }
        let (stem, end) = name.strip_suffix(FIFO).map_or((name, ""), |stem| (stem, FIFO));
        let dead = Arc::new(Shared::new(format!("{stem}-dead-letters{end}"), self.address, None));
        let queue = Arc::new(Shared::new(name.to_owned(), self.address, Some(Arc::clone(&dead))));
        let mut queues = self.queues();
        for queue in [&dead, &queue] {
            queues.insert(queue.name.clone(), Arc::clone(queue));
        }
        queue
    }

    pub(super) fn named(&self, name: &str) -> Option<Arc<Shared>> {
        self.queues().get(name).cloned()
    }

    /// The queue with this URL.
    pub(super) fn at(&self, url: &str) -> Option<Arc<Shared>> {
        let (_, name) = url.rsplit_once('/')?;
        self.named(name).filter(|queue| queue.url() == url)
    }

    fn queues(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Shared>>> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shared {
    fn new(name: String, address: SocketAddr, dead_letters: Option<Arc<Self>>) -> Self {
        let state = Mutex::new(State::new(name.ends_with(FIFO)));
        Self { name, address, state, changed: Notify::new(), deleted: watch::Sender::default(), dead_letters }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}/{ACCOUNT}/{}", self.address, self.name)
    }

    pub(super) fn arn(&self) -> String {
        format!("arn:aws:sqs:{REGION}:{ACCOUNT}:{}", self.name)
    }

    pub(super) fn is_fifo(&self) -> bool {
        self.name.ends_with(FIFO)
    }

    /// Hands out messages, for the visibility timeout of the queue if no other is
    /// given, and buries the dead.
    pub(super) fn receive(&self, most: usize, hidden: Option<Duration>) -> Vec<Received> {
        let (received, dead) = {
            let mut state = self.state();
            let hidden = hidden.unwrap_or(state.visibility_timeout);
            state.receive(most, hidden)
        };
        if let Some(queue) = &self.dead_letters
            && !dead.is_empty()
        {
            dead.into_iter().for_each(|message| queue.state().adopt(message, self.arn()));
            queue.changed.notify_waiters();
        }
        received
    }

    pub(super) fn delete(&self, receipt: &str) -> Receipt {
        let kind = self.state().delete(receipt);
        if kind == Receipt::Last {
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
            if state.is_waiting() {
                return;
            }
            state.next_visible()
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
