//! The client's transport: by WASI, or by the host's own means.

#[cfg(all(feature = "embedded", not(feature = "webhook")))]
mod host;
#[cfg(any(not(feature = "embedded"), feature = "webhook"))]
mod wasi;

use sophos_api::{DEFAULT_MAX_ANSWER_LEN, TransportError, TransportErrorKind};

#[cfg(all(feature = "embedded", not(feature = "webhook")))]
pub(crate) use host::Outbound;
#[cfg(any(not(feature = "embedded"), feature = "webhook"))]
pub(crate) use wasi::Outbound;
#[cfg(feature = "webhook")]
pub(crate) use wasi::{Deadline, write};

/// Checks the length of an answer, as far as it is known.
///
/// # Errors
/// `TooLarge` beyond [`DEFAULT_MAX_ANSWER_LEN`]: the memory of a component is
/// bounded by its host.
fn check_length(bytes: usize) -> Result<(), TransportError> {
    if bytes <= DEFAULT_MAX_ANSWER_LEN {
        return Ok(());
    }
    let why = format!("it has more than {DEFAULT_MAX_ANSWER_LEN} bytes; ask for shorter pages");
    Err(TransportError::new(TransportErrorKind::TooLarge, why))
}
