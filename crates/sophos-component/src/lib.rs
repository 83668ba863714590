//! Sophos Central as a WASI component: one file for any host, with no access to files,
//! environment variables, sockets or standard output.
//!
//! `cargo xtask component` builds one component for each world of `sophos:central` and
//! fails if a component has an import that its world does not allow:
//!
//! | world | features | purpose | imports |
//! |---|---|---|---|
//! | `reader` | | reads | `credentials`; HTTP, I/O and the monotonic clock of WASI 0.2 |
//! | `operator` | `operator` | reads and writes | as `reader` |
//! | `embedded-reader` | `embedded` | reads | `credentials`, `transport` |
//! | `embedded` | `embedded`, `operator` | reads and writes | `credentials`, `transport` |
//! | `webhook` | `webhook` | isolates on other tools' alerts | `credentials`, six interfaces of its host, and WASI 0.2 |
//!
//! An instance is a session: one grant, one token cache, one call at a time. The client
//! is `sophos-api` over the host's transport, and the webhook is `sophos-isolation`.
//!
//! - `wit/` documents every interface for the host.
//! - `docs/component/index.md` is the guide for embedders, with a chapter for each host:
//!   Rust and Python with wasmtime, Node with jco, `jco serve` and `wasmtime serve`.
//! - `examples/` has the hosts of that guide.

#![deny(missing_docs)]

#[cfg(not(feature = "webhook"))]
mod account_health;
#[cfg(all(feature = "operator", not(feature = "webhook")))]
mod alert_actions;
#[cfg(not(feature = "webhook"))]
mod alerts;
mod bindings;
#[cfg(not(feature = "webhook"))]
mod cursor;
#[cfg(not(feature = "webhook"))]
mod endpoints;
#[cfg(not(feature = "webhook"))]
mod events;
mod executor;
mod failure;
mod grant;
#[cfg(not(feature = "webhook"))]
mod isolation;
#[cfg(all(feature = "operator", not(feature = "webhook")))]
mod isolation_actions;
#[cfg(not(feature = "webhook"))]
mod json;
#[cfg(not(feature = "webhook"))]
mod page;
#[cfg(not(feature = "webhook"))]
mod session;
#[cfg(not(feature = "webhook"))]
mod tenants;
mod transport;
#[cfg(feature = "webhook")]
mod webhook;

/// The component. It implements every exported interface of its world.
#[derive(Debug)]
pub struct Component;

/// Parses a list of words into the client's open enums.
#[cfg(not(feature = "webhook"))]
fn parse_words<'w, W>(list: &'w [String], parse: impl Fn(&'w str) -> W) -> impl Iterator<Item = W> {
    list.iter().map(move |text| parse(text))
}
