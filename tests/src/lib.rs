//! What the end-to-end tests, the demo and the benchmark have in common: the
//! simulator and the built function on a local Runtime API ([`TestEnv`]), what an
//! export committed ([`CommittedExport`]), an S3 server that can kill ([`s3`]), a queue
//! with a function behind it ([`queue`]), an emulator of AWS ([`moto`]),
//! functions that others invoke ([`LambdaService`]), what isolation is tried with
//! ([`isolation`]), hosts of the component ([`hosts`]), HTTP by hand
//! ([`raw_http`]), and the whole stack, deployed
//! ([`stack`]).

#![deny(missing_docs)]

pub mod aws;
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

pub use committed::{CommittedExport, Defect, StreamKey};
pub use lambda_service::LambdaService;
pub use test_env::TestEnv;

/// The README's examples compile.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
