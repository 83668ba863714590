//! Outcomes of invocations and sandboxes.

use serde_json::Value;

/// The outcome of one invocation.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum InvocationOutcome {
    /// The function responded with this JSON; an empty response is `null`.
    Ok(Value),
    /// The function's response is not JSON.
    NotJson(Vec<u8>),
    /// The function reported an error, or its runtime reported a panic.
    FunctionError {
        /// The type of the error: `errorType` of the body.
        kind: String,
        /// The message of the error: `errorMessage` of the body.
        message: String,
        /// The whole body; a string if it is not JSON.
        body: Value,
    },
    /// The deadline passed without a response, and the sandbox killed the process.
    TimedOut,
    /// The process ended during the invocation.
    Exited {
        /// The exit code, if the process exited by itself.
        code: Option<i32>,
        /// The signal that ended the process.
        signal: Option<i32>,
    },
    /// The event exceeds [`MAX_PAYLOAD_LEN`](crate::MAX_PAYLOAD_LEN) and was not delivered.
    EventTooLarge {
        /// The size of the event as JSON, in bytes.
        bytes: usize,
    },
    /// The process had ended before it received this event.
    ///
    /// Lambda would start another sandbox. This library does not: start one with
    /// [`LambdaFunction::start`](crate::LambdaFunction::start) and send the event again.
    NotRunning {
        /// The exit code of the process.
        code: Option<i32>,
        /// The signal that ended the process.
        signal: Option<i32>,
    },
}

impl InvocationOutcome {
    /// The response, if the function gave one.
    pub fn ok(self) -> Option<Value> {
        match self {
            Self::Ok(response) => Some(response),
            _ => None,
        }
    }

    /// The type of the error, if the function reported one.
    pub fn error_kind(&self) -> Option<&str> {
        match self {
            Self::FunctionError { kind, .. } => Some(kind),
            _ => None,
        }
    }

    /// The outcome of a response with this body.
    pub(crate) fn from_response(body: &[u8]) -> Self {
        if body.is_empty() {
            return Self::Ok(Value::Null);
        }
        serde_json::from_slice(body).map_or_else(|_| Self::NotJson(body.to_vec()), Self::Ok)
    }

    /// The outcome of an error report. `header` is the error type in its header.
    pub(crate) fn from_error(header: Option<&str>, body: &[u8]) -> Self {
        let body = serde_json::from_slice(body)
            .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(body).into_owned()));
        let text = |name| body.get(name).and_then(Value::as_str);
        Self::FunctionError {
            kind: text("errorType").or(header).unwrap_or("Unhandled").to_owned(),
            message: text("errorMessage").unwrap_or_default().to_owned(),
            body,
        }
    }

    /// The error that Lambda returns for a response over the limit.
    pub(crate) fn response_too_large(limit: usize) -> Self {
        let kind = "Function.ResponseSizeTooLarge";
        let message = format!("Response payload size exceeded maximum allowed payload size ({limit} bytes).");
        Self::FunctionError {
            kind: kind.to_owned(),
            body: serde_json::json!({ "errorType": kind, "errorMessage": message }),
            message,
        }
    }
}

/// The final state of a sandbox after [`Sandbox::stop`](crate::Sandbox::stop).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct StoppedSandbox {
    /// The exit code, if the process exited by itself.
    pub code: Option<i32>,
    /// The signal that ended the process: 15 if the process did not handle SIGTERM.
    pub signal: Option<i32>,
    /// The peak resident memory in bytes, if the system reports it.
    pub peak_rss_bytes: Option<u64>,
    /// All lines of standard output and standard error.
    pub logs: Vec<String>,
}
