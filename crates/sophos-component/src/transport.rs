//! The client's transport: by WASI, or by the host's own means.

#[cfg(all(feature = "embedded", not(feature = "webhook")))]
mod host;
#[cfg(any(not(feature = "embedded"), feature = "webhook"))]
mod wasi;

use sophos_api::{DEFAULT_MAX_RESPONSE_LEN, TransportError, TransportErrorKind};

#[cfg(all(feature = "embedded", not(feature = "webhook")))]
pub(crate) use host::HostTransport;
#[cfg(any(not(feature = "embedded"), feature = "webhook"))]
pub(crate) use wasi::HostTransport;
#[cfg(feature = "webhook")]
pub(crate) use wasi::{Deadline, write_body};

/// Checks the length of an answer, as far as it is known.
///
/// # Errors
/// `TooLarge` beyond [`DEFAULT_MAX_RESPONSE_LEN`]: the memory of a component is
/// bounded by its host.
fn check_response_len(bytes: usize) -> Result<(), TransportError> {
    if bytes <= DEFAULT_MAX_RESPONSE_LEN {
        return Ok(());
    }
    let why = format!("it has more than {DEFAULT_MAX_RESPONSE_LEN} bytes; ask for shorter pages");
    Err(TransportError::new(TransportErrorKind::TooLarge, why))
}
