//! The time.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The time since the Unix epoch. That of the wall: another clock may stand
/// still while Lambda has the function frozen.
pub fn since_epoch() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}
