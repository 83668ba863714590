//! What the Lambda functions have in common: how invocations are served,
//! configuration from the environment, log records, metrics.

#![deny(missing_docs)]

pub mod aws;
pub mod clock;
mod config;
mod invocation;
mod invocation_error;
pub mod logging;
pub mod metrics;
mod sophos_config;
mod webhook_secrets;

pub use config::{ConfigError, ConfigReader};
pub use invocation::{Invocation, serve};
pub use invocation_error::InvocationError;
pub use sophos_config::{CredentialLocation, SophosConfig};
pub use webhook_secrets::{WebhookSecrets, WebhookSecretsLocation};
