//! What holds of `sophos-isolation` whatever is sent to it.
//!
//! Each module is one kind of input with what must be true of it; a file in
//! `bin` hands it to libFuzzer. `cargo xtask fuzz` builds and runs them.

#![deny(missing_docs)]

pub mod adapters;
pub mod message;
pub mod names;
pub mod policy;
pub mod request;
pub mod resolve;
pub mod signature;
pub mod spellings;
