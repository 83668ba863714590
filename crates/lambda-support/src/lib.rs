//! The common parts of the Lambda functions: the entry point, configuration from the
//! environment, log records, metrics.

#![deny(missing_docs)]

mod assumed_role;
pub mod aws;
pub mod clock;
mod config;
mod deadline;
mod invocation;
mod invocation_error;
pub mod logging;
pub mod metrics;
mod panic;
mod sophos_config;
mod webhook_secrets;

pub use assumed_role::AssumedRole;
pub use config::{ConfigError, ConfigReader};
pub use deadline::{list_credentials, run_until};
pub use invocation::{Handler, Invocation, run};
pub use invocation_error::InvocationError;
pub use sophos_config::{CredentialLocation, SophosConfig};
pub use webhook_secrets::{WebhookSecrets, WebhookSecretsLocation};
