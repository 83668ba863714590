/// The limits of the emulator of a deployed stack. The limits of a single resource are in
/// [`is_emulated`](super::DeployedResource::is_emulated) and
/// [`ignored_properties`](super::DeployedResource::ignored_properties).
pub const EMULATOR_LIMITS: [&str; 10] = [
    "schedules fire when they are told to, not by the clock, and an invocation that failed is not tried again",
    "what failed on a rule's event is tried again at once, not after minutes; a rule's own dead letters stay empty",
    "an HTTP API does not throttle, writes no access log, and matches no routes: all requests reach the function",
    "metrics and log lines stay with the process: alarms and dashboards are created, and nothing moves them",
    "nothing is encrypted; who would need a key is asked for the right to it, as AWS would ask",
    "TLS is taken as given: the requests on this machine are plain HTTP",
    "a role is held to its policies, bucket policies that deny, and function policies for services; other \
     resource policies, boundaries and quotas are not looked at",
    "life cycles, retention and access logs of buckets are kept, and carried out by nobody",
    "`sam delete` looks for the stacks within the stack at S3's own address; CloudFormation's request deletes it",
    "queries of Athena: the tables are in the catalogue, and nothing runs them",
];
