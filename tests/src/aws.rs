//! Clients of AWS services that are on loopback: any key will do there.

use aws_sdk_sqs::config::{BehaviorVersion, Credentials, Region};

/// The region of everything here.
pub const REGION: &str = "eu-west-1";

/// The account of everything here.
pub const ACCOUNT: &str = "123456789012";

/// A client of the queues at this endpoint.
pub fn sqs(endpoint: &str) -> aws_sdk_sqs::Client {
    let config = aws_sdk_sqs::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static(REGION))
        .credentials_provider(credentials())
        .endpoint_url(endpoint)
        .build();
    aws_sdk_sqs::Client::from_conf(config)
}

/// A client of the event buses at this endpoint.
pub fn eventbridge(endpoint: &str) -> aws_sdk_eventbridge::Client {
    let config = aws_sdk_eventbridge::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static(REGION))
        .credentials_provider(credentials())
        .endpoint_url(endpoint)
        .build();
    aws_sdk_eventbridge::Client::from_conf(config)
}

/// A client of the secrets at this endpoint.
pub fn secrets(endpoint: &str) -> aws_sdk_secretsmanager::Client {
    let config = aws_sdk_secretsmanager::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static(REGION))
        .credentials_provider(credentials())
        .endpoint_url(endpoint)
        .build();
    aws_sdk_secretsmanager::Client::from_conf(config)
}

fn credentials() -> Credentials {
    Credentials::new("AKIALOOPBACK", "a-secret-key-of-the-tests", None, None, "tests")
}
