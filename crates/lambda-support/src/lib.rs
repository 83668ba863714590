//! What the Lambda functions have in common: configuration from the
//! environment, log records, metrics.

#![deny(missing_docs)]

mod environment;
pub mod logging;
pub mod metrics;
mod secrets;
mod sophos;

pub use environment::{ConfigError, Reader};
pub use secrets::Secrets;
pub use sophos::{Sophos, Source};
