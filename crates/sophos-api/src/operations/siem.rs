//! The SIEM feed of a tenant's events and alerts, of the last 24 hours.
//!
//! A cursor that is older than 24 hours is not refused: the service answers
//! from 24 hours ago, without a word. Items may be sent again, and may appear
//! after later ones; their `id` tells.

mod alerts;
mod events;

pub use alerts::ListSiemAlerts;
pub use events::ListSiemEvents;

use crate::Error;

/// Items a page at most.
pub const MAX_PAGE_SIZE: u32 = 1_000;
/// Items a page at least.
pub const MIN_PAGE_SIZE: u32 = 200;

fn check_limit(limit: Option<u32>) -> Result<(), Error> {
    match limit {
        Some(limit) if !(MIN_PAGE_SIZE..=MAX_PAGE_SIZE).contains(&limit) => Err(Error::invalid(format!(
            "limit is {limit}; it must be from {MIN_PAGE_SIZE} to {MAX_PAGE_SIZE}"
        ))),
        _ => Ok(()),
    }
}
