use std::{
    any::Any,
    cell::{Cell, RefCell},
    panic::{AssertUnwindSafe, catch_unwind, set_hook},
    pin::pin,
    task::Poll,
};

thread_local! {
    /// Whether this thread polls a future of [`catch`].
    static CATCHING: Cell<bool> = const { Cell::new(false) };
    /// The source location of the panic that [`catch`] is about to report.
    static LOCATION: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Replaces the panic hook, which prints plain text. A panic inside [`catch`] is
/// left to its caller; any other becomes a log record of its own.
pub(crate) fn install_hook() {
    set_hook(Box::new(|panic| {
        let location = panic.location().map(ToString::to_string);
        if CATCHING.get() {
            LOCATION.set(location);
            return;
        }
        let error = message(panic.payload());
        tracing::error!(event = "task_panicked", error, location, "a background task panicked");
    }));
}

/// Runs a future to its end.
///
/// # Errors
/// The message of its panic, with the source location after [`install_hook`].
pub(crate) async fn catch<F: Future>(future: F) -> Result<F::Output, String> {
    let mut future = pin!(future);
    std::future::poll_fn(|context| {
        let outer = CATCHING.replace(true);
        let polled = catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context)));
        CATCHING.set(outer);
        match polled {
            Ok(poll) => poll.map(Ok),
            Err(payload) => Poll::Ready(Err(describe(&*payload))),
        }
    })
    .await
}

fn describe(payload: &(dyn Any + Send)) -> String {
    match LOCATION.take() {
        Some(location) => format!("panicked at {location}: {}", message(payload)),
        None => format!("panicked: {}", message(payload)),
    }
}

fn message(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or("the panic has no message")
}
