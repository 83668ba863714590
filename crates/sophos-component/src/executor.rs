//! A single-task executor: a component runs one call at a time.

use std::{
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

/// A flag for a requested poll.
struct WakeFlag(AtomicBool);

impl Wake for WakeFlag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Runs a future to completion.
///
/// Every wait is a blocking host call, so a future is pending only to alternate
/// between its own parts.
///
/// # Panics
/// If the future is pending and has not requested another poll: it would never
/// complete.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    let woken = Arc::new(WakeFlag(AtomicBool::new(false)));
    let waker = Waker::from(Arc::clone(&woken));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
        assert!(woken.0.swap(false, Ordering::Relaxed), "the future is pending and has no wake-up");
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    #[test]
    fn block_on_polls_again_after_a_wake() {
        let mut left = 3;
        let future = poll_fn(|context| {
            if left == 0 {
                return Poll::Ready("done");
            }
            left -= 1;
            context.waker().wake_by_ref();
            Poll::Pending
        });
        assert_eq!(block_on(future), "done");
    }

    #[test]
    #[should_panic(expected = "no wake-up")]
    fn block_on_panics_when_a_future_is_never_woken() {
        block_on(std::future::pending::<()>());
    }
}
