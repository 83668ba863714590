//! Shared code of the end-to-end tests, the demo and the benchmark:
//!
//! - [`TestEnv`]: the simulator and the built function on a local Runtime API;
//! - [`CommittedExport`]: the committed rows of an export;
//! - [`s3`]: an S3 server that stops at a chosen request;
//! - [`queue`]: SQS with an event source mapping;
//! - [`moto`]: an emulator of AWS;
//! - [`LambdaService`]: Lambda's `Invoke` operation;
//! - [`ClosedPort`]: a port that refuses connections;
//! - [`isolation`]: the environment of isolation tests;
//! - [`hosts`]: hosts of the component;
//! - [`raw_http`]: HTTP without a library;
//! - [`stack`]: the deployed stack.

#![deny(missing_docs)]

pub mod aws;
mod closed_port;
mod committed;
pub mod hosts;
pub mod isolation;
mod lambda_service;
mod leak_detector;
pub mod moto;
pub mod pipeline_env;
pub mod queue;
pub mod raw_http;
pub mod s3;
pub mod stack;
mod test_env;

pub use closed_port::ClosedPort;
pub use committed::{CommittedExport, Defect, StreamKey};
pub use lambda_service::LambdaService;
pub use test_env::{TestEnv, package_dir, program};

/// The README's examples compile.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
