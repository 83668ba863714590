use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks a mutex under which no code that can panic runs, so that a poisoned
/// one cannot be.
pub(crate) fn lock<V>(mutex: &Mutex<V>) -> MutexGuard<'_, V> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
