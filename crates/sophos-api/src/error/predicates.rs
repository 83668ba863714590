//! The predicates of an error, each with the remedy.

use crate::error::{Error, ErrorKind};

impl Error {
    /// Whether the same request may succeed later.
    ///
    /// Repeat an idempotent operation after [`retry_after`](Self::retry_after) or a
    /// back-off; read the state first for any other.
    ///
    /// ```
    /// use sophos_api::{Operation, operations::common::alerts::GetAlert};
    ///
    /// let error_of = |status: u16| {
    ///     let response = http::Response::builder().status(status).body(bytes::Bytes::new());
    ///     GetAlert::parse_response(&response.expect("a response")).expect_err("no alert")
    /// };
    /// assert!(error_of(503).is_retryable() && error_of(429).is_throttled());
    /// assert!(error_of(404).is_not_found() && !error_of(404).is_retryable());
    /// ```
    pub fn is_retryable(&self) -> bool {
        match self.kind() {
            ErrorKind::Throttled
            | ErrorKind::Unavailable
            | ErrorKind::Unreachable
            | ErrorKind::Interrupted
            | ErrorKind::DeadlineExceeded => true,
            // The body may be cut in the middle of its JSON.
            ErrorKind::Malformed => matches!(self.status(), Some(200..=299)),
            _ => false,
        }
    }

    /// Whether there were too many requests.
    ///
    /// Wait for [`retry_after`](Self::retry_after), then repeat any operation.
    pub fn is_throttled(&self) -> bool {
        self.kind() == ErrorKind::Throttled
    }

    /// Whether the credential is missing or rejected, or its token is.
    ///
    /// Check that the credential is current, and that the tenant is in the data
    /// region of its record.
    pub fn is_unauthorized(&self) -> bool {
        matches!(
            self.kind(),
            ErrorKind::Unauthorized | ErrorKind::CredentialRejected | ErrorKind::NoCredential
        )
    }

    /// Whether the credential does not permit the operation.
    ///
    /// Compare the role and type of the credential with
    /// [`required_access`](Self::required_access). Check the tenant's licence, and that
    /// the tenant lets this account manage it.
    pub fn is_forbidden(&self) -> bool {
        matches!(self.kind(), ErrorKind::Forbidden | ErrorKind::WrongCredentialType)
    }

    /// Whether the object does not exist.
    ///
    /// Drop the id, or look the object up again.
    pub fn is_not_found(&self) -> bool {
        self.kind() == ErrorKind::NotFound
    }

    /// Whether the state of the object does not allow the operation.
    ///
    /// Read the state, then decide whether to repeat the operation.
    pub fn is_conflict(&self) -> bool {
        self.kind() == ErrorKind::Conflict
    }

    /// Whether the request is invalid.
    ///
    /// Correct the value that the text names; a repetition fails again.
    pub fn is_invalid(&self) -> bool {
        self.kind() == ErrorKind::Invalid
    }

    /// Whether the deadline passed or an attempt ran into its time limit.
    ///
    /// Allow more time, by [`with_deadline`](crate::Client::with_deadline) or
    /// [`attempt_timeout`](crate::RetryPolicy::attempt_timeout). The service may have
    /// executed the operation.
    pub fn is_timeout(&self) -> bool {
        self.kind() == ErrorKind::DeadlineExceeded || self.timed_out()
    }

    /// Whether the tenant has moved to Sophos Fusion, and the operation was not sent.
    ///
    /// Send the [`replacement`](Self::replacement), an operation of [`fusion`](crate::fusion).
    pub fn is_tenant_moved(&self) -> bool {
        self.kind() == ErrorKind::TenantMoved
    }

    /// Whether the response exceeds the limit of the transport.
    ///
    /// Request smaller pages, or raise the limit of the transport.
    pub fn is_too_large(&self) -> bool {
        self.kind() == ErrorKind::TooLarge
    }
}
