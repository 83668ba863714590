//! Sockets, TLS, and the dispatch of requests.

pub(crate) mod dispatch;
pub(crate) mod listen;
pub(crate) mod response_body;
pub(crate) mod tls;
