/// The limits of the emulator of a deployed stack. The limits of a single resource are in
/// [`is_emulated`](super::DeployedResource::is_emulated) and
/// [`ignored_properties`](super::DeployedResource::ignored_properties).
pub const EMULATOR_LIMITS: [&str; 10] = [
    "schedules fire on request, not by the clock, and a failed invocation is not retried",
    "a failed invocation by a rule is retried at once, not after minutes; a rule's own dead-letter queue stays empty",
    "an HTTP API does not throttle, writes no access log, and matches no routes: all requests reach the function",
    "metrics and logs stay with the process: alarms and dashboards exist, but receive no data",
    "data is not encrypted, but requests need the permissions for its key, as on AWS",
    "TLS is assumed: the requests on this machine are plain HTTP",
    "a role is held to its policies, bucket policies that deny, and function policies for services; other \
     resource policies, boundaries and quotas are not evaluated",
    "life cycles, retention and access logs of buckets are stored, but have no effect",
    "`sam delete` looks for nested stacks at the real S3; CloudFormation's request deletes the stack",
    "Athena runs no queries; its tables are in the catalogue",
];
