//! Clients of AWS.

use aws_config::{BehaviorVersion, SdkConfig};
use tokio::sync::OnceCell;

static SETTINGS: OnceCell<SdkConfig> = OnceCell::const_new();

/// What clients of AWS are made from: region, credentials, endpoints, from the
/// function's environment. Read once.
pub async fn settings() -> SdkConfig {
    let load = || aws_config::defaults(BehaviorVersion::latest()).load();
    SETTINGS.get_or_init(load).await.clone()
}
