//! Clients of AWS services on loopback, which accept any key.

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_sqs::config::{Credentials, SharedCredentialsProvider};

/// The region of all services.
pub const REGION: &str = "eu-west-1";

/// The account of all services.
pub const ACCOUNT: &str = "123456789012";

/// An SQS client for this endpoint.
pub fn sqs(endpoint: &str) -> aws_sdk_sqs::Client {
    aws_sdk_sqs::Client::new(&sdk_config(endpoint))
}

/// An SQS client for this endpoint, with the keys of a session.
pub fn sqs_for_session(endpoint: &str, session: &SessionKeys) -> aws_sdk_sqs::Client {
    aws_sdk_sqs::Client::new(&sdk_config_for_session(endpoint, session))
}

/// An EventBridge client for this endpoint.
pub fn eventbridge(endpoint: &str) -> aws_sdk_eventbridge::Client {
    aws_sdk_eventbridge::Client::new(&sdk_config(endpoint))
}

/// A Secrets Manager client for this endpoint.
pub fn secrets(endpoint: &str) -> aws_sdk_secretsmanager::Client {
    aws_sdk_secretsmanager::Client::new(&sdk_config(endpoint))
}

/// Temporary keys of a role.
#[derive(Clone)]
pub struct SessionKeys {
    /// The access key id.
    pub access_key: String,
    /// The key that signs requests.
    pub secret_key: String,
    /// The session token.
    pub token: Option<String>,
}

impl std::fmt::Debug for SessionKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Session").field(&self.access_key).finish()
    }
}

fn sdk_config(endpoint: &str) -> SdkConfig {
    let (access_key, secret_key) = ("AKIALOOPBACK".to_owned(), "a-secret-key-of-the-tests".to_owned());
    sdk_config_for_session(endpoint, &SessionKeys { access_key, secret_key, token: None })
}

fn sdk_config_for_session(endpoint: &str, session: &SessionKeys) -> SdkConfig {
    let SessionKeys { access_key, secret_key, token } = session.clone();
    let credentials = Credentials::new(access_key, secret_key, token, None, "tests");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static(REGION))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .endpoint_url(endpoint)
        .build()
}
