//! Sockets, TLS, and the way of a request through the simulator.

pub(crate) mod dispatch;
pub(crate) mod listen;
pub(crate) mod response_body;
pub(crate) mod tls;
