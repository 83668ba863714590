//! The time.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The time since the Unix epoch, by the wall clock. A monotonic clock may stop while
/// Lambda freezes the sandbox.
pub fn since_epoch() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}
