//! Properties of `sophos-isolation` for any input.
//!
//! Each module checks one kind of input; a file in `bin` passes it to libFuzzer. `cargo xtask fuzz`
//! builds and runs the targets.

#![deny(missing_docs)]

pub mod adapters;
pub mod message;
pub mod names;
pub mod policy;
pub mod request;
pub mod resolve;
pub mod signature;
pub mod spellings;
