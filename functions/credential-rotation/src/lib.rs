//! The Lambda function that rotates credentials of Sophos Central in Secrets
//! Manager, and once a day watches over all of them.
//!
//! # Rotation
//!
//! Sophos Central has no operation that creates a credential. An administrator
//! makes one in the console and stages it, as [`sophos_secrets`] describes:
//!
//! ```sh
//! aws secretsmanager put-secret-value --secret-id sophos/credentials/acme \
//!     --secret-string file://next.json --version-stages STAGED
//! ```
//!
//! Secrets Manager calls this function for each step of a rotation:
//!
//! | step | what happens |
//! |---|---|
//! | `createSecret` | the first staged credential that can take over becomes the pending version: one that can be read, has not expired, whose role is enough, and that is neither the current one nor the one before |
//! | `setSecret` | nothing |
//! | `testSecret` | it gets a token, belongs to whom the current one belongs to, and reads what it will be used for |
//! | `finishSecret` | it is tested once more, becomes the current one, and is staged no more |
//!
//! Where a rotation is only arranged, with `--no-rotate-immediately` or
//! `RotateImmediatelyOnUpdate: false`, Secrets Manager calls `testSecret` alone, for
//! a version that is a copy of the current one, and takes that away again. The
//! function answers that there is nothing to do: neither a credential nor a staged
//! one has to be there yet, nor does rotation have to count as enabled.
//!
//! A value that was just stored may not be visible yet. While rotation is enabled, a
//! step that needs it fails (`NoPendingValue`), and Secrets Manager repeats it. No
//! version becomes the current one before its value was read and tested by the same
//! invocation.
//!
//! Each step may be repeated, also after a death in the middle. If one fails, the
//! current credential stays in force. What becomes of the pending one depends on
//! why its test failed:
//!
//! | reason | pending version | staged credential |
//! |---|---|---|
//! | it may pass: the service is down or busy, the time was up, an answer makes no sense | stays, the step is repeated | stays |
//! | nobody knows to whom it must belong: the current one is refused, and neither names its owner | is given up | stays the first: write the owner into it or into the current one |
//! | the credential is refused, belongs to somebody else, has expired, may not read | is given up | goes behind all others, with the label `STAGED_REJECTED_1`, `_2`, … |
//!
//! A rotation that is given up leaves nothing pending, so that the next begins
//! anew, with the next credential. One that was refused is not thrown away, since
//! its secret is not shown again: when no other is left its turn comes once more.
//! Give it its label back, or take the label away to drop it (a secret has 20
//! labels at most, and this needs a free one):
//!
//! ```sh
//! aws secretsmanager update-secret-version-stage --secret-id sophos/credentials/acme \
//!     --version-stage STAGED_REJECTED_1 --remove-from-version-id <version>
//! ```
//!
//! # Orders
//!
//! | event | what is done |
//! |---|---|
//! | a scheduled event, or `{"audit": true}` | [the watch](mod@crate::audit) |
//! | `{"check": "<secret>"}` | the credential whose turn it is is tested, and nothing is changed |
//!
//! # Variables
//!
//! | variable | what it is | if not set |
//! |---|---|---|
//! | `SOPHOS_…` | the credentials to watch over, and the hosts; see [`lambda_support::SophosConfig`] | |
//! | `AUDIT_UNUSED_DAYS` | after how many days without being used a credential is unused, 1 to 1100 | `30` |
//! | `AUDIT_DEFAULT_PURPOSES` | what credentials are used for that do not say so: `export`, `isolation` or both | `export` |
//! | `METRICS_NAMESPACE` | the CloudWatch namespace | `SophosCentral` |
//! | `LOG_LEVEL` | `error`, `warn`, `info`, `debug` or `trace` | `info` |
//!
//! # Rights
//!
//! | action | resource | for |
//! |---|---|---|
//! | `secretsmanager:DescribeSecret`, `secretsmanager:GetSecretValue` | the secrets with credentials | rotation and watch |
//! | `secretsmanager:TagResource` | the same | watch |
//! | `secretsmanager:PutSecretValue`, `secretsmanager:UpdateSecretVersionStage` | the same | rotation |
//! | `secretsmanager:ListSecrets`, `secretsmanager:BatchGetSecretValue` | `*`: they know no other | watch |
//! | `kms:Decrypt`, `kms:GenerateDataKey` | the secrets' key, if it is a customer's | both; the second for rotation |
//!
//! and `secretsmanager.amazonaws.com` needs `lambda:InvokeFunction` on the
//! function.

#![deny(missing_docs)]

pub mod audit;
mod config;
mod credential_check;
mod function;
mod report;
mod rotation;
mod sophos_check;
pub mod staged;
mod task;
mod versions;

pub use config::Config;
pub use credential_check::{CredentialCheck, CredentialCheckError};
pub use function::{RotationFunction, RotationFunctionError};
pub use report::AuditReport;
pub use rotation::{Rotation, RotationError};
pub use sophos_check::SophosCredentialCheck;
pub use task::{RotationStep, RotationTask};
pub use versions::Versions;
