//! The Lambda function that rotates credentials of Sophos Central in Secrets Manager, and
//! audits all of them once a day.
//!
//! # Rotation
//!
//! Sophos Central has no operation that creates a credential. An administrator creates
//! one in the console and stages it, as [`sophos_secrets`] describes:
//!
//! ```sh
//! aws secretsmanager put-secret-value --secret-id sophos/credentials/acme \
//!     --secret-string file://next.json --version-stages STAGED
//! ```
//!
//! Secrets Manager calls this function for each step of a rotation:
//!
//! | step | action |
//! |---|---|
//! | `createSecret` | the first eligible staged credential becomes the pending version. It must be valid, not expired, have a sufficient role, and differ from the current and the previous credential |
//! | `setSecret` | nothing |
//! | `testSecret` | the pending credential gets a token, has the owner of the current one, and reads data for its purposes |
//! | `finishSecret` | the pending credential is tested again, becomes the current one, and loses its staging label |
//!
//! When a rotation is only configured, with `--no-rotate-immediately` or
//! `RotateImmediatelyOnUpdate: false`, Secrets Manager calls `testSecret` alone. Its
//! version is a copy of the current one, which Secrets Manager removes afterwards. The
//! function reports that there is nothing to do. This needs no credential, no staged
//! credential and no enabled rotation.
//!
//! A value that was just stored may not be visible yet. While rotation is enabled, a step
//! that needs it fails (`NoPendingValue`), and Secrets Manager retries the step. A version
//! becomes the current one only after the same invocation has read and tested its value.
//!
//! Each step is idempotent, also after a crash. If a step fails, the credential in force
//! stays. The cause decides about the pending version:
//!
//! | cause | pending version | staged credential |
//! |---|---|---|
//! | transient: the service is unavailable, the deadline passed, a response is invalid | stays, the step is retried | stays |
//! | unknown owner: the current credential is rejected, and neither has an owner | is abandoned | stays the first: add the owner to it or to the current one |
//! | the credential is rejected, has another owner, has expired, or lacks read permission | is abandoned | moves behind all others, with the label `STAGED_REJECTED_1`, `_2`, … |
//!
//! An abandoned rotation leaves no pending version, so that the next one starts with the
//! next credential. A rejected credential is kept, since the console does not show its
//! secret again. A rotation retries it when no other is left. Restore its label, or
//! remove the label to drop it. (A secret has at most 20 labels, and a rejection needs a
//! free one.)
//!
//! ```sh
//! aws secretsmanager update-secret-version-stage --secret-id sophos/credentials/acme \
//!     --version-stage STAGED_REJECTED_1 --remove-from-version-id <version>
//! ```
//!
//! # Events
//!
//! | event | action |
//! |---|---|
//! | a scheduled event, or `{"audit": true}` | [the audit](sophos_secrets::audit) |
//! | `{"check": "<secret>"}` | tests the next staged credential, and changes nothing |
//!
//! # Variables
//!
//! | variable | value | default |
//! |---|---|---|
//! | `SOPHOS_…` | the credentials for the audit, and the hosts; see [`lambda_support::SophosConfig`] | |
//! | `AUDIT_UNUSED_DAYS` | days without use after which a credential counts as unused, 1 to 1100 | `30` |
//! | `AUDIT_DEFAULT_PURPOSES` | purposes of credentials without `used_for`: `export`, `isolation` or both | `export` |
//! | `METRICS_NAMESPACE` | the CloudWatch namespace | `SophosCentral` |
//! | `LOG_LEVEL` | `error`, `warn`, `info`, `debug` or `trace` | `info` |
//!
//! # Permissions
//!
//! | action | resource | for |
//! |---|---|---|
//! | `secretsmanager:DescribeSecret`, `secretsmanager:GetSecretValue` | the secrets with credentials | rotation and audit |
//! | `secretsmanager:TagResource` | the same | audit |
//! | `secretsmanager:PutSecretValue`, `secretsmanager:UpdateSecretVersionStage` | the same | rotation |
//! | `secretsmanager:ListSecrets`, `secretsmanager:BatchGetSecretValue` | `*`: they have no resource | audit |
//! | `kms:Decrypt`, `kms:GenerateDataKey` | the customer managed key of the secrets, if any | both; `GenerateDataKey` for rotation |
//!
//! and `secretsmanager.amazonaws.com` needs `lambda:InvokeFunction` on the
//! function.

#![deny(missing_docs)]

mod config;
mod function;
mod report;
mod rotation;
mod task;
mod versions;

pub use config::Config;
pub use function::{RotationFunction, RotationFunctionError};
pub use report::AuditReport;
pub use rotation::{Rotation, RotationError};
pub use sophos_secrets::{CredentialCheck, CredentialCheckError, SophosCredentialCheck, audit, staged};
pub use task::{InvalidEvent, RotationStep, RotationTask};
pub use versions::Versions;
