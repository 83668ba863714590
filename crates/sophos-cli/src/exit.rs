//! Failures and exit codes.

use std::fmt;

use sophos_api::ErrorKind;

use crate::fusion;

/// The exit codes. `sophos --help` lists them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    /// Success.
    Success = 0,
    /// Any failure without a code of its own.
    Failure = 1,
    /// Invalid arguments or an invalid configuration.
    Usage = 2,
    /// Some of several tenants, endpoints or records failed.
    Partial = 3,
    /// No credential, or a rejected one.
    Authentication = 4,
    /// The object does not exist.
    NotFound = 5,
    /// The credential's role or type, or the tenant's licence does not permit it.
    Forbidden = 6,
    /// The rate limit is exhausted.
    RateLimit = 7,
    /// Interrupted by the user.
    Interrupted = 130,
}

/// A failed command: a message, the next step, and the exit code.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    /// The exit code.
    pub(crate) exit: Exit,
    /// The cause. Empty if messages were printed already.
    pub(crate) message: String,
    /// The next step for the user.
    pub(crate) hint: Option<String>,
}

impl Failure {
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into(), hint: None }
    }

    /// A failure without a code of its own.
    pub(crate) fn other(message: impl Into<String>) -> Self {
        Self::new(Exit::Failure, message)
    }

    /// Invalid arguments or an invalid configuration.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }

    /// A failure whose messages were printed already.
    pub(crate) fn reported(exit: Exit) -> Self {
        Self::new(exit, "")
    }

    /// Sets the next step for the user.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl From<sophos_api::Error> for Failure {
    fn from(error: sophos_api::Error) -> Self {
        let (exit, hint) = match error.kind() {
            ErrorKind::NoCredential => (
                Exit::Authentication,
                Some("run `sophos config init`, or set SOPHOS_CLIENT_ID and SOPHOS_CLIENT_SECRET"),
            ),
            ErrorKind::CredentialRejected => (
                Exit::Authentication,
                Some(
                    "run `sophos config show` to see which credential is in use, and `sophos config init` to replace it",
                ),
            ),
            ErrorKind::Unauthorized => (Exit::Authentication, Some("run `sophos config test`")),
            ErrorKind::NotFound => (Exit::NotFound, None),
            ErrorKind::TenantMoved => {
                let command = fusion::replacement_command(error.replacement().unwrap_or_default());
                return Self::other(error.to_string()).hint(format!("use `{command}`"));
            }
            ErrorKind::Forbidden => {
                (Exit::Forbidden, Some("run `sophos config test` to see the credential's type and role"))
            }
            ErrorKind::WrongCredentialType => (
                Exit::Forbidden,
                Some("run `sophos config test`; `sophos config use PROFILE` selects another credential"),
            ),
            ErrorKind::Throttled => (
                Exit::RateLimit,
                Some("wait, or set `rate_limit` in the profile to the limit of the account"),
            ),
            ErrorKind::DeadlineExceeded if error.retry_after().is_some() => (Exit::RateLimit, None),
            ErrorKind::Invalid if error.status().is_none() => (Exit::Usage, None),
            ErrorKind::Invalid => {
                (Exit::Failure, Some("correct the value; for a change, `--dry-run` shows the request"))
            }
            ErrorKind::Graphql => (
                Exit::Failure,
                Some(
                    "correct the value that the text names; `sophos config test` shows the credential's role",
                ),
            ),
            ErrorKind::Unreachable => (
                Exit::Failure,
                Some("check the network and the proxy in HTTPS_PROXY; `--debug` shows each request"),
            ),
            ErrorKind::Unavailable => {
                (Exit::Failure, Some("try again later; the ids are for the support of Sophos"))
            }
            ErrorKind::Interrupted => {
                (Exit::Failure, Some("read the state of the object before you repeat a change"))
            }
            ErrorKind::UntrustedHost => {
                (Exit::Failure, Some("set identity_url and global_url only for a simulator or a gateway"))
            }
            _ => (Exit::Failure, None),
        };
        let failure = Self::new(exit, error.to_string());
        match hint {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        // The reader of a pipe, such as `head`, has all that it wants.
        if error.kind() == std::io::ErrorKind::BrokenPipe {
            return Self::reported(Exit::Success);
        }
        Self::other(format!("writing the output failed: {error}"))
    }
}

impl From<sophos_secrets::SecretError> for Failure {
    fn from(error: sophos_secrets::SecretError) -> Self {
        Self::new(Exit::Authentication, error.to_string())
    }
}
