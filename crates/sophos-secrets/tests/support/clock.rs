use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// A manual clock.
#[derive(Clone, Default)]
pub(crate) struct Clock(Arc<AtomicU64>);

impl Clock {
    pub(crate) fn advance(&self, seconds: u64) {
        self.0.fetch_add(seconds, Ordering::Relaxed);
    }

    pub(crate) fn as_fn(&self) -> impl Fn() -> Duration + Send + Sync + 'static {
        let seconds = Arc::clone(&self.0);
        move || Duration::from_secs(1_000_000 + seconds.load(Ordering::Relaxed))
    }
}
