//! The client's transport: by WASI, or by the host's own means.

#[cfg(all(feature = "embedded", not(feature = "webhook")))]
mod host;
#[cfg(any(not(feature = "embedded"), feature = "webhook"))]
mod wasi;

#[cfg(all(feature = "embedded", not(feature = "webhook")))]
pub(crate) use host::Outbound;
#[cfg(any(not(feature = "embedded"), feature = "webhook"))]
pub(crate) use wasi::Outbound;
#[cfg(feature = "webhook")]
pub(crate) use wasi::{Deadline, write};

/// The largest answer that is read. A page of 1,000 events is about half a
/// megabyte; something larger than this is not the API speaking.
#[cfg(any(not(feature = "embedded"), feature = "webhook"))]
const LARGEST_ANSWER: usize = 64 << 20;
