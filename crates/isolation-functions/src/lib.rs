//! The worker of the isolation functions, with its configuration and policy.
//!
//! The function `isolation-worker` runs it. `isolation-webhook` uses its
//! configuration, policy and secrets, and without a queue it runs the worker too.
//!
//! | variable | meaning | default |
//! |---|---|---|
//! | `ISOLATION_LEDGER` | the location of the ledger: `s3://bucket/prefix`, or a folder | required |
//! | `ISOLATION_POLICY` | the policy: a file, or `s3://bucket/key` | required |
//! | `ISOLATION_DRY_RUN` | `true`: a dry run, whatever the policy says; `false`: as the policy says | `false` |
//! | `ISOLATION_EVENT_BUS` | the EventBridge bus of the outcomes, by name or ARN | none |
//! | `ISOLATION_APPROVAL_URL` | the URL of the webhook, for approval links | none |
//! | `ISOLATION_LEASE_SECONDS` | the lease of a run, from 1 to 900, which must exceed the function's timeout | `90` |
//! | `WEBHOOK_SECRETS_PREFIX` or `WEBHOOK_SECRETS_FILE` | the location of the secrets in the policy | variables, see [`lambda_support::WebhookSecretsLocation`] |
//! | `SOPHOS_…` | the credentials and the hosts, see [`lambda_support::SophosConfig`]; at most one credential for isolation may serve several tenants | |
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
pub use task::{CheckPayload, CheckRequest, EndpointRef, QueueMessage, ReleaseTarget, TaskError, WorkerTask};
pub use worker::{FetchError, Worker, WorkerError};
