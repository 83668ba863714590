//! What the Lambda functions have in common: how invocations are served,
//! configuration from the environment, log records, metrics.

#![deny(missing_docs)]

pub mod aws;
pub mod clock;
mod config;
mod invocation_error;
mod invocation;
pub mod logging;
pub mod metrics;
mod webhook_secrets;
mod sophos_config;

pub use config::{ConfigError, ConfigReader};
pub use invocation_error::InvocationError;
pub use invocation::{Invocation, serve};
pub use webhook_secrets::{WebhookSecrets, WebhookSecretsLocation};
pub use sophos_config::{CredentialLocation, SophosConfig};
