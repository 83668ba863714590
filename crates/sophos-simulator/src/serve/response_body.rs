//! Complete and truncated response bodies.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::time::Sleep;

/// The error of a connection that ends before its announced length.
#[derive(Debug, thiserror::Error)]
#[error("the fault closes the connection")]
pub(crate) struct Disconnected;

impl From<Infallible> for Disconnected {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

/// A body.
#[derive(Debug)]
pub(crate) enum ResponseBody {
    Complete(Option<Bytes>),
    /// Half of the announced body, then the end of the connection.
    Truncated(Option<Bytes>, Pin<Box<Sleep>>),
}

impl ResponseBody {
    pub(crate) fn complete(bytes: Bytes) -> Self {
        Self::Complete((!bytes.is_empty()).then_some(bytes))
    }

    pub(crate) fn truncated(bytes: &Bytes) -> Self {
        // The pause lets the client receive the first half before the socket closes.
        let pause = Box::pin(tokio::time::sleep(Duration::from_millis(20)));
        Self::Truncated(Some(bytes.slice(..bytes.len() / 2)), pause)
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = Disconnected;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Disconnected>>> {
        match &mut *self {
            Self::Complete(bytes) => Poll::Ready(bytes.take().map(|b| Ok(Frame::data(b)))),
            Self::Truncated(first, pause) => match first.take() {
                Some(bytes) => Poll::Ready(Some(Ok(Frame::data(bytes)))),
                None => pause.as_mut().poll(cx).map(|()| Some(Err(Disconnected))),
            },
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Complete(None))
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Complete(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, Bytes::len) as u64),
            Self::Truncated(..) => SizeHint::default(),
        }
    }
}
