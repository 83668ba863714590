//! Sophos Central as a WASI component: one file that a host adds, and a client
//! with the smallest possible authority.
//!
//! `cargo xtask component` builds the worlds of `sophos:central`, which `wit/`
//! documents, into `components/` of the target folder:
//!
//! | world | features | what it does | what it asks of its host |
//! |---|---|---|---|
//! | `reader` | | looks | `credentials`; of WASI 0.2 HTTP, I/O and the monotonic clock |
//! | `operator` | `operator` | looks and acts | the same |
//! | `embedded-reader` | `embedded` | looks | `credentials`, `transport` |
//! | `embedded` | `embedded`, `operator` | looks and acts | `credentials`, `transport` |
//! | `webhook` | `webhook` | isolates on other tools' alerts | see [below](#the-webhook) |
//!
//! The build refuses any other import, so there is no file, no environment, no
//! socket and no output that a component could reach, whatever its host has.
//!
//! # In a host
//!
//! `tests/hosts` has a small, whole program for Node (jco: synchronous over
//! `wasi:http`, or with promises over `fetch` where Node has JSPI), for Python
//! (`wasmtime`, over its `wasi:http` or over Python's own HTTP) and for Rust
//! (`wasmtime`, typed, over kept connections that lead to `*.sophos.com` alone, by
//! `wasi:http` or by `transport`). A Rust host compiles a component ahead of time into
//! an artifact that is loaded in less than a millisecond.
//!
//! **An instance is a session.** It has one grant and one token, does one thing at
//! a time and is made in well under a millisecond: make one for each unit of work.
//! A call that traps has spoilt its instance; drop it. `session.limits` bound a
//! call; the deadline is the component's own and holds whether or not the host
//! heeds the options of a request.
//!
//! **Credentials** come from `credentials.obtain`, which the host implements over
//! its own secret store. The least is `host-managed`: the host adds `Authorization` to
//! what goes out, and the component sees neither secret nor token. `token` is an
//! access token that the host obtained; `client` an API credential that the
//! component trades by itself. When a grant is refused the host is asked once more
//! with `rejected`, so that a cache is passed over.
//!
//! **Where it may go.** The component itself sends a token to `https` hosts under
//! `sophos.com` only, unless the host names another service. To hold it to that
//! from outside, let the host refuse any other destination: in `transport.send`,
//! in a wasmtime host's own hook for outgoing requests, or by `allowed_outbound_hosts` and its
//! like where a platform has them. A refusal is told as `reason.blocked`.
//!
//! **Cursors** are good in another instance, another process and another
//! language. One that belongs to other filters or another tenant is refused.
//!
//! # WASI 0.3
//!
//! The worlds are of WASI 0.2, which every host here runs. A package of 0.3, with
//! `async` functions and streams in place of pages, would stand on the same client,
//! but could not be had everywhere: wasmtime's Python package cannot call an `async`
//! function, wasmtime's own implementation of 0.3 is called experimental and gets no
//! security fixes in its releases, and of Node it wants 24. Until that changes a host
//! that wants calls side by side makes an instance for each.
//!
//! # The webhook
//!
//! The world `webhook` is the isolation of `sophos-isolation` for any server that
//! runs `wasi:http` components: it answers as the Lambda function does, by the same
//! code, and its threat model is that crate's. It keeps nothing itself. What it
//! needs is its host's, and the host needs little:
//!
//! | import | what the host does | the least |
//! |---|---|---|
//! | `policy` | gives the policy's text, at each request | read a file |
//! | `webhook-secrets` | gives the keys of senders, by the policy's names for them | read a vault |
//! | `ledger-store` | creates an object only if there is none; reads, removes and lists | a folder with hard links, a bucket, a table with a primary key |
//! | `queue` | takes decisions for `decisions.process` | say `inline`: they are carried out before the answer |
//! | `outcomes` | tells people and programs | have no listener |
//! | `audit-log` | records what came in | write a line |
//! | `credentials` | as above; a partner's serves all of its tenants | |
//!
//! and of WASI the wall clock and randomness beside HTTP and the monotonic clock:
//! what is in a ledger is compared by others, and runs must tell their entries apart.
//!
//! **To serve it**, a host calls `wasi:http/incoming-handler` for each request, in an
//! instance of its own or in one that is kept; no more than a mebibyte of a body is
//! read, within 30 seconds. A host that has requests in another form calls
//! `decisions.receive`, which answers the same. `wasmtime serve` has nothing to give
//! for the imports above, so a host is a small program: `tests/hosts` has one in Rust,
//! a `wasi:http` server with an instance for each request, a ledger in a folder and
//! the follow-up on a timer; one in Node over a `wasi:http` server; and one in Python,
//! whose wasmtime cannot call the handler, over `decisions.receive`.
//!
//! **Each minute** the host calls `decisions.follow-up`: without it nothing is
//! confirmed, reported as overdue, released, or made up for after a failure. Any
//! number of instances may do so at once, and work on the same decisions: the
//! ledger's `create` has one of them take each step. So an instance may end anywhere,
//! by a trap, a deadline of the host's or a power cut. A call waits for the service
//! for 60 seconds at most; give it more than that.
//!
//! **Callers' addresses** are in a header that the server in front writes
//! (`client-ip-header` of the rules), since `wasi:http` has none. Where a source may call
//! from some addresses only and that header is not named, it cannot call at all.
//!
//! **A policy that is changed** is in force at the next request. One with a mistake
//! lets nothing in, so have `decisions.check-policy` read it first.

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

/// The component: what each interface of its world is implemented by.
#[derive(Debug)]
pub struct Component;

/// The words of a list, as the client knows them.
#[cfg(not(feature = "webhook"))]
fn parse_words<'w, W>(list: &'w [String], read: impl Fn(&'w str) -> W) -> impl Iterator<Item = W> {
    list.iter().map(move |text| read(text))
}
