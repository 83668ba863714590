//! Clients of AWS.

use std::time::Duration;

use aws_config::{BehaviorVersion, SdkConfig, timeout::TimeoutConfig};
use tokio::sync::OnceCell;

/// The timeouts of one attempt of a request and of all its attempts. The SDK has none
/// by default.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(10);
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

static SDK_CONFIG: OnceCell<SdkConfig> = OnceCell::const_new();

/// The configuration of AWS clients: region, credentials and endpoints, from the
/// function's environment. Loaded once. A request times out after 30 seconds, each of
/// its attempts after ten.
pub async fn sdk_config() -> SdkConfig {
    let timeouts = TimeoutConfig::builder();
    let timeouts = timeouts.operation_attempt_timeout(ATTEMPT_TIMEOUT).operation_timeout(REQUEST_TIMEOUT);
    let load = || aws_config::defaults(BehaviorVersion::latest()).timeout_config(timeouts.build()).load();
    SDK_CONFIG.get_or_init(load).await.clone()
}
