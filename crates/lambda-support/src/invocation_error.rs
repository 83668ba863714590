use std::fmt::{self, Display, Formatter};

use lambda_runtime::Diagnostic;

/// Why an invocation failed, as Lambda tells it to whoever invoked the function,
/// and as X-Ray shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvocationError {
    kind: &'static str,
    message: String,
}

impl InvocationError {
    /// A failure of this kind, Lambda's `errorType`: a word that stays the same
    /// when the message is put otherwise, so that it can be counted and chosen by.
    pub fn new(kind: &'static str, message: impl Display) -> Self {
        Self { kind, message: message.to_string() }
    }

    /// The event is none that the function knows (`InvalidEvent`): to send it again
    /// is of no use.
    pub fn invalid_event(message: impl Display) -> Self {
        Self::new("InvalidEvent", message)
    }

    /// There is no credential to work with (`NoCredential`): none is stored for what
    /// the function does, or none of those that are can be read. One that Sophos
    /// Central refuses is another kind of failure.
    pub fn no_credential(message: impl Display) -> Self {
        Self::new("NoCredential", message)
    }

    /// The kind, Lambda's `errorType`.
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
