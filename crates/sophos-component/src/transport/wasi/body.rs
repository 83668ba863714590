//! Bodies, there and back.

use sophos_api::TransportError;

use super::{Deadline, error_codes, interrupted_error, unsendable_error};
use crate::{
    bindings::wasi::{
        http::types::{IncomingBody, OutgoingBody},
        io::streams::{OutputStream, StreamError},
    },
    transport::check_response_len,
};

/// What is asked for at once.
const CHUNK_LEN: u64 = 256 << 10;

/// Writes a body. One that the service does not want to its end is no failure:
/// its answer says why.
pub(crate) fn write_body(
    body: OutgoingBody,
    content: &[u8],
    deadline: &Deadline,
) -> Result<(), TransportError> {
    let stream = body.write().map_err(unsendable_error("body"))?;
    let complete = write_all(&stream, content, deadline)?;
    // Streams go before what they belong to.
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

/// Reads a body to its end; `expected` is its length, if that was told.
pub(super) fn read_body(
    body: &IncomingBody,
    expected: Option<usize>,
    deadline: &Deadline,
) -> Result<Vec<u8>, TransportError> {
    let stream = body.stream().map_err(|()| interrupted_error("the answer's body is gone"))?;
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
            // Its code is not asked for: jco's shim has none that it could hand over
            // and ends the instance instead.
            Err(StreamError::LastOperationFailed(_)) => {
                return Err(interrupted_error("the answer's body broke off"));
            }
        }
    }
    if expected.is_some_and(|expected| content.len() < expected) {
        return Err(interrupted_error("the answer's body ended too soon"));
    }
    Ok(content)
}
