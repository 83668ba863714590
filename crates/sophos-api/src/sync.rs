use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks a mutex. No code under these locks can panic, so none is poisoned.
pub(crate) fn lock<V>(mutex: &Mutex<V>) -> MutexGuard<'_, V> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
