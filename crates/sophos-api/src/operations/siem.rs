//! The SIEM feed of a tenant's events and alerts of the last 24 hours.
//!
//! The service accepts a cursor older than 24 hours and silently continues at 24
//! hours ago. It may send an item again, or after later ones: compare the `id`.

use crate::operation::macros::files;

/// The largest page, in items.
pub const MAX_PAGE_SIZE: u32 = 1_000;
/// The smallest page, in items.
pub const MIN_PAGE_SIZE: u32 = 200;

files! { alerts events }
