//! Clients of AWS.

use std::time::Duration;

use aws_config::{BehaviorVersion, SdkConfig, timeout::TimeoutConfig};
use tokio::sync::OnceCell;

/// Longest wait for one attempt of a request, and for all of them. The SDK itself waits
/// for an answer without end.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(10);
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

static SDK_CONFIG: OnceCell<SdkConfig> = OnceCell::const_new();

/// What clients of AWS are made from: region, credentials, endpoints, from the
/// function's environment. Read once. A request ends after 30 seconds, each of its
/// attempts after ten.
pub async fn sdk_config() -> SdkConfig {
    let timeouts = TimeoutConfig::builder();
    let timeouts = timeouts.operation_attempt_timeout(ATTEMPT_TIMEOUT).operation_timeout(REQUEST_TIMEOUT);
    let load = || aws_config::defaults(BehaviorVersion::latest()).timeout_config(timeouts.build()).load();
    SDK_CONFIG.get_or_init(load).await.clone()
}
