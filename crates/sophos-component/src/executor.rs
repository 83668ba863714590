//! The whole runtime: a component does one thing at a time.

use std::{
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

/// Whether somebody has asked to be polled again.
struct WakeFlag(AtomicBool);

impl Wake for WakeFlag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Runs a future to its end.
///
/// Every wait is a call of the host that comes back when it is over, so a future
/// is pending only to let its own parts take turns. One that waits for somebody
/// else would wait for ever, and ends the instance.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    let woken = Arc::new(WakeFlag(AtomicBool::new(false)));
    let waker = Waker::from(Arc::clone(&woken));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
        assert!(woken.0.swap(false, Ordering::Relaxed), "nobody is there to go on with it");
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    #[test]
    fn block_on_polls_again_after_a_wake() {
        let mut left = 3;
        let turns = poll_fn(|context| {
            if left == 0 {
                return Poll::Ready("done");
            }
            left -= 1;
            context.waker().wake_by_ref();
            Poll::Pending
        });
        assert_eq!(block_on(turns), "done");
    }

    #[test]
    #[should_panic(expected = "nobody is there")]
    fn block_on_panics_when_a_future_is_never_woken() {
        block_on(std::future::pending::<()>());
    }
}
