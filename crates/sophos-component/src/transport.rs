//! The client's transport: by WASI, or by the host's own means.

#[cfg(feature = "embedded")]
mod host;
#[cfg(not(feature = "embedded"))]
mod wasi;

#[cfg(feature = "embedded")]
pub(crate) use host::Outbound;
#[cfg(not(feature = "embedded"))]
pub(crate) use wasi::Outbound;

/// The largest answer that is read. A page of 1,000 events is about half a
/// megabyte; something larger than this is not the API speaking.
#[cfg(not(feature = "embedded"))]
const LARGEST_ANSWER: usize = 64 << 20;
