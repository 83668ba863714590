//! The client's transport, over WASI or over the imported `transport`.

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

/// Checks the known length of a response, because the host bounds the component's
/// memory.
///
/// # Errors
/// `TooLarge` above [`DEFAULT_MAX_RESPONSE_LEN`].
fn check_response_len(bytes: usize) -> Result<(), TransportError> {
    if bytes <= DEFAULT_MAX_RESPONSE_LEN {
        return Ok(());
    }
    let reason = format!("more than {DEFAULT_MAX_RESPONSE_LEN} bytes; request smaller pages");
    Err(TransportError::new(TransportErrorKind::TooLarge, reason))
}
