//! Clients of AWS services that are on loopback: any key will do there.

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_sqs::config::{Credentials, SharedCredentialsProvider};

/// The region of everything here.
pub const REGION: &str = "eu-west-1";

/// The account of everything here.
pub const ACCOUNT: &str = "123456789012";

/// A client of the queues at this endpoint.
pub fn sqs(endpoint: &str) -> aws_sdk_sqs::Client {
    aws_sdk_sqs::Client::new(&settings(endpoint))
}

/// A client of the event buses at this endpoint.
pub fn eventbridge(endpoint: &str) -> aws_sdk_eventbridge::Client {
    aws_sdk_eventbridge::Client::new(&settings(endpoint))
}

/// A client of the secrets at this endpoint.
pub fn secrets(endpoint: &str) -> aws_sdk_secretsmanager::Client {
    aws_sdk_secretsmanager::Client::new(&settings(endpoint))
}

fn settings(endpoint: &str) -> SdkConfig {
    let credentials = Credentials::new("AKIALOOPBACK", "a-secret-key-of-the-tests", None, None, "tests");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static(REGION))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .endpoint_url(endpoint)
        .build()
}
