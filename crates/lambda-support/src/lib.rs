//! What the Lambda functions have in common: how invocations are served,
//! configuration from the environment, log records, metrics.

#![deny(missing_docs)]

pub mod aws;
pub mod clock;
mod environment;
mod failure;
mod invocations;
pub mod logging;
pub mod metrics;
mod secrets;
mod sophos;

pub use environment::{ConfigError, Reader};
pub use failure::Failure;
pub use invocations::{Invocation, serve};
pub use secrets::{Secrets, SecretsPlace};
pub use sophos::{Place, Sophos};
