//! Clients of AWS.

use std::{error::Error, time::Duration};

use aws_config::{BehaviorVersion, SdkConfig, timeout::TimeoutConfig};
use aws_sdk_secretsmanager::error::DisplayErrorContext;
use tokio::sync::OnceCell;

/// The timeouts of one attempt of a request and of all its attempts. The SDK has none
/// by default.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(10);
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// The failure of a request to AWS.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// The request failed, or it could not be built.
    #[error("{action} failed: {}", DisplayErrorContext(&**source))]
    Failed {
        /// The operation of AWS, or the step before it.
        action: &'static str,
        /// The cause. The text has its whole chain.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The service responded, and did not do everything.
    #[error("{action} failed: {reason}")]
    Rejected {
        /// The operation of AWS.
        action: &'static str,
        /// The reason, as the service gives it.
        reason: String,
    },
}

impl RequestError {
    /// Returns a constructor for errors of `action`, for `map_err`.
    pub fn failed<E: Error + Send + Sync + 'static>(action: &'static str) -> impl Fn(E) -> Self {
        move |source| Self::Failed { action, source: source.into() }
    }

    /// Creates an error from the reason in a response.
    pub fn rejected(action: &'static str, reason: impl Into<String>) -> Self {
        Self::Rejected { action, reason: reason.into() }
    }
}

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

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn request_error_has_the_action_and_the_chain_of_causes() {
        let cause = io::Error::other(io::Error::new(io::ErrorKind::TimedOut, "no response in 10 s"));
        let error = RequestError::failed("SendMessage")(cause);
        let text = error.to_string();
        assert!(text.starts_with("SendMessage failed: ") && text.contains("no response in 10 s"), "{text}");
        assert!(error.source().is_some_and(|source| source.is::<io::Error>()));
        let error = RequestError::rejected("PutEvents", "ThrottlingException");
        assert_eq!(error.to_string(), "PutEvents failed: ThrottlingException");
    }
}
