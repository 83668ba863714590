//! Clients of AWS services that are on loopback: any key will do there.

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_sqs::config::{Credentials, SharedCredentialsProvider};

/// The region of everything here.
pub const REGION: &str = "eu-west-1";

/// The account of everything here.
pub const ACCOUNT: &str = "123456789012";

/// A client of the queues at this endpoint.
pub fn sqs(endpoint: &str) -> aws_sdk_sqs::Client {
    aws_sdk_sqs::Client::new(&sdk_config(endpoint))
}

/// A client of the queues at this endpoint, with the keys of a session.
pub fn sqs_for_session(endpoint: &str, session: &SessionKeys) -> aws_sdk_sqs::Client {
    aws_sdk_sqs::Client::new(&sdk_config_for_session(endpoint, session))
}

/// A client of the event buses at this endpoint.
pub fn eventbridge(endpoint: &str) -> aws_sdk_eventbridge::Client {
    aws_sdk_eventbridge::Client::new(&sdk_config(endpoint))
}

/// A client of the secrets at this endpoint.
pub fn secrets(endpoint: &str) -> aws_sdk_secretsmanager::Client {
    aws_sdk_secretsmanager::Client::new(&sdk_config(endpoint))
}

/// Keys for as long as somebody is at work.
#[derive(Clone)]
pub struct SessionKeys {
    /// Names the keys.
    pub access_key: String,
    /// What requests are signed with.
    pub secret_key: String,
    /// Goes with each request.
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
