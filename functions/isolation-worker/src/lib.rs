//! The worker of isolation, as a Lambda function and as a library for the
//! webhook, which does the same by itself where there is no queue.
//!
//! | variable | what it is | if not set |
//! |---|---|---|
//! | `ISOLATION_LEDGER` | where decisions are kept: `s3://bucket/prefix`, or a folder | must be set |
//! | `ISOLATION_POLICY` | the policy: a file, or `s3://bucket/key` | must be set |
//! | `ISOLATION_DRY_RUN` | `true`: nothing is isolated, whatever the policy says; `false`: the policy says | `false` |
//! | `ISOLATION_EVENT_BUS` | the EventBridge bus that outcomes go to, by name or ARN | none |
//! | `ISOLATION_APPROVAL_URL` | the address of the webhook, for links by which a person approves | none |
//! | `ISOLATION_LEASE_SECONDS` | how long a run has for its call before another takes it up, from 1 to 900: more than the function's timeout | `90` |
//! | `WEBHOOK_SECRETS_PREFIX` or `WEBHOOK_SECRETS_FILE` | where the secrets are that the policy names | variables, see [`lambda_support::WebhookSecretsLocation`] |
//! | `SOPHOS_…` | the credentials, of which one at most may be for isolation of more than its own tenant, and the hosts; see [`lambda_support::SophosConfig`] | |
//! | `METRICS_NAMESPACE` | the CloudWatch namespace | `SophosCentral` |
//! | `LOG_LEVEL` | `error`, `warn`, `info`, `debug` or `trace` | `info` |

#![deny(missing_docs)]

mod approval_links;
mod config;
mod credential_selection;
mod event_bus;
mod policy_file;
mod task;
mod worker;

pub use config::Config;
pub use event_bus::EventBus;
pub use policy_file::{PolicyFile, PolicyUnavailable};
pub use task::{CheckPayload, CheckRequest, EndpointRef, QueueMessage, ReleaseTarget, WorkerTask};
pub use worker::{Worker, WorkerError};
