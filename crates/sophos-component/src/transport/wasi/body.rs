//! Request and response bodies.

use sophos_api::TransportError;

use super::{Deadline, error_codes, interrupted_error, unsendable_error};
use crate::{
    bindings::wasi::{
        http::types::{IncomingBody, OutgoingBody},
        io::streams::{OutputStream, StreamError},
    },
    transport::check_response_len,
};

/// The maximum length of one read, in bytes.
const CHUNK_LEN: u64 = 256 << 10;

/// Writes a body.
///
/// If the service stops reading, this is not an error: its response has the reason.
pub(crate) fn write_body(
    body: OutgoingBody,
    content: &[u8],
    deadline: &Deadline,
) -> Result<(), TransportError> {
    let stream = body.write().map_err(unsendable_error("body"))?;
    let complete = write_all(&stream, content, deadline)?;
    // A stream must be dropped before its parent.
    drop(stream);
    if complete {
        OutgoingBody::finish(body, None).map_err(error_codes::to_transport_error)?;
    }
    Ok(())
}

fn write_all(stream: &OutputStream, content: &[u8], deadline: &Deadline) -> Result<bool, TransportError> {
    let ready = stream.subscribe();
    let mut left = content;
    let mut flushing = false;
    loop {
        let Ok(room) = stream.check_write() else { return Ok(false) };
        if room == 0 {
            deadline.wait_for(&ready)?;
            continue;
        }
        if left.is_empty() && flushing {
            return Ok(true);
        }
        if left.is_empty() {
            flushing = true;
            if stream.flush().is_err() {
                return Ok(false);
            }
            continue;
        }
        let (now, later) = left.split_at(left.len().min(usize::try_from(room).unwrap_or(usize::MAX)));
        if stream.write(now).is_err() {
            return Ok(false);
        }
        left = later;
    }
}

/// Reads a whole body. `expected` is the `content-length`, if the service sent one.
pub(super) fn read_body(
    body: &IncomingBody,
    expected: Option<usize>,
    deadline: &Deadline,
) -> Result<Vec<u8>, TransportError> {
    let stream = body.stream().map_err(|()| interrupted_error("the response body is missing"))?;
    let ready = stream.subscribe();
    check_response_len(expected.unwrap_or(0))?;
    let mut content = Vec::with_capacity(expected.unwrap_or(0));
    loop {
        match stream.read(CHUNK_LEN) {
            Ok(chunk) if chunk.is_empty() => deadline.wait_for(&ready)?,
            Ok(chunk) => {
                check_response_len(content.len() + chunk.len())?;
                content.extend_from_slice(&chunk);
            }
            Err(StreamError::Closed) => break,
            // jco's shim traps when the component requests the error's code.
            Err(StreamError::LastOperationFailed(_)) => {
                return Err(interrupted_error("the response body was interrupted"));
            }
        }
    }
    if expected.is_some_and(|expected| content.len() < expected) {
        return Err(interrupted_error("the response body is shorter than its content-length"));
    }
    Ok(content)
}
