//! Clients of AWS.

use std::time::Duration;

use aws_config::{BehaviorVersion, SdkConfig, timeout::TimeoutConfig};
use tokio::sync::OnceCell;

/// Longest wait for one attempt of a request, and for all of them. The SDK itself waits
/// for an answer without end.
const MAX_ATTEMPT_TIME: Duration = Duration::from_secs(10);
const MAX_REQUEST_TIME: Duration = Duration::from_secs(30);

static SETTINGS: OnceCell<SdkConfig> = OnceCell::const_new();

/// What clients of AWS are made from: region, credentials, endpoints, from the
/// function's environment. Read once. A request ends after 30 seconds, each of its
/// attempts after ten.
pub async fn settings() -> SdkConfig {
    let timeouts = TimeoutConfig::builder();
    let timeouts = timeouts.operation_attempt_timeout(MAX_ATTEMPT_TIME).operation_timeout(MAX_REQUEST_TIME);
    let load = || aws_config::defaults(BehaviorVersion::latest()).timeout_config(timeouts.build()).load();
    SETTINGS.get_or_init(load).await.clone()
}
