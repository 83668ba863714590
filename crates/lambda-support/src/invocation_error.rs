use std::fmt::{self, Display, Formatter};

use lambda_runtime::Diagnostic;

/// The failure of an invocation, as Lambda returns it to the caller and X-Ray shows
/// it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvocationError {
    kind: &'static str,
    message: String,
}

impl InvocationError {
    /// A failure of this kind, Lambda's `errorType`. The kind is stable, so that alarms
    /// and callers can match it; the message may change.
    pub fn new(kind: &'static str, message: impl Display) -> Self {
        Self { kind, message: message.to_string() }
    }

    /// The event is invalid (`InvalidEvent`). A retry fails again.
    pub fn invalid_event(message: impl Display) -> Self {
        Self::new("InvalidEvent", message)
    }

    /// No usable credential (`NoCredential`): none is stored for the purpose of the
    /// function, or none can be read. A credential that Sophos Central rejects is a
    /// failure of another kind.
    pub fn no_credential(message: impl Display) -> Self {
        Self::new("NoCredential", message)
    }

    /// The kind, which is Lambda's `errorType`.
    pub fn kind(&self) -> &'static str {
        self.kind
    }
}

impl Display for InvocationError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for InvocationError {}

impl From<InvocationError> for Diagnostic {
    fn from(failure: InvocationError) -> Self {
        Self { error_type: failure.kind.to_owned(), error_message: failure.message }
    }
}
