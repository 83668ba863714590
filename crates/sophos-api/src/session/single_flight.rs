//! Requests that one caller sends for all that wait for the result.

use std::{
    future::poll_fn,
    pin::pin,
    sync::atomic::{AtomicU64, Ordering},
    task::Poll,
};

use async_lock::Mutex;

use crate::error::{Error, ErrorKind};

/// A request that one caller sends for all that wait for its result.
#[derive(Default)]
pub(crate) struct SingleFlight {
    last_failure: Mutex<Option<Error>>,
    completed: AtomicU64,
}

impl SingleFlight {
    /// Returns the `cached` value, else the result of `fetch`. Of all callers that
    /// wait, one fetches, and they share its result. No caller waits past its own
    /// `deadline`.
    pub(crate) async fn run<V>(
        &self,
        cached: impl Fn() -> Option<V>,
        deadline: impl Future<Output = ()>,
        fetch: impl Future<Output = Result<V, Error>>,
    ) -> Result<V, Error> {
        if let Some(value) = cached() {
            return Ok(value);
        }
        let before = self.completed.load(Ordering::Acquire);
        let Some(mut failure) = until_deadline(self.last_failure.lock(), deadline).await else {
            return Err(Error::new(ErrorKind::DeadlineExceeded)
                .with_message("another caller's request was not complete"));
        };
        if let Some(value) = cached() {
            return Ok(value);
        }
        // Another caller fetched while this one waited for the lock. Its deadline
        // does not apply to this caller.
        let fetched = self.completed.load(Ordering::Acquire) > before;
        if let Some(error) =
            failure.as_ref().filter(|error| fetched && error.kind() != ErrorKind::DeadlineExceeded)
        {
            return Err(error.clone());
        }
        let result = fetch.await;
        *failure = result.as_ref().err().cloned();
        self.completed.fetch_add(1, Ordering::AcqRel);
        result
    }
}

/// The output of `future`, or `None` if `deadline` completes first.
pub(crate) async fn until_deadline<V>(
    future: impl Future<Output = V>,
    deadline: impl Future<Output = ()>,
) -> Option<V> {
    let (mut future, mut deadline) = (pin!(future), pin!(deadline));
    poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(value) => Poll::Ready(Some(value)),
        Poll::Pending => deadline.as_mut().poll(context).map(|()| None),
    })
    .await
}
