//! Bodies, there and back.

use sophos_api::TransportError;

use super::{Deadline, codes, interrupted, unsendable};
use crate::{
    bindings::wasi::{
        http::types::{IncomingBody, OutgoingBody},
        io::streams::{OutputStream, StreamError},
    },
    transport::check_length,
};

/// What is asked for at once.
const CHUNK: u64 = 256 << 10;

/// Writes a body. One that the service does not want to its end is no failure:
/// its answer says why.
pub(crate) fn write(body: OutgoingBody, content: &[u8], deadline: &Deadline) -> Result<(), TransportError> {
    let stream = body.write().map_err(unsendable("body"))?;
    let complete = write_all(&stream, content, deadline)?;
    // Streams go before what they belong to.
    drop(stream);
    if complete {
        OutgoingBody::finish(body, None).map_err(codes::failure)?;
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
            deadline.wait(&ready)?;
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
pub(super) fn read(
    body: &IncomingBody,
    expected: Option<usize>,
    deadline: &Deadline,
) -> Result<Vec<u8>, TransportError> {
    let stream = body.stream().map_err(|()| interrupted("the answer's body is gone"))?;
    let ready = stream.subscribe();
    check_length(expected.unwrap_or(0))?;
    let mut content = Vec::with_capacity(expected.unwrap_or(0));
    loop {
        match stream.read(CHUNK) {
            Ok(chunk) if chunk.is_empty() => deadline.wait(&ready)?,
            Ok(chunk) => {
                check_length(content.len() + chunk.len())?;
                content.extend_from_slice(&chunk);
            }
            Err(StreamError::Closed) => break,
            // Its code is not asked for: jco's shim has none that it could hand over
            // and ends the instance instead.
            Err(StreamError::LastOperationFailed(_)) => {
                return Err(interrupted("the answer's body broke off"));
            }
        }
    }
    if expected.is_some_and(|expected| content.len() < expected) {
        return Err(interrupted("the answer's body ended too soon"));
    }
    Ok(content)
}
