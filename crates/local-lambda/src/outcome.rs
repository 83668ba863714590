//! What an invocation and a sandbox end with.

use serde_json::Value;

/// How one invocation ended.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum InvocationOutcome {
    /// The function answered with this JSON; an empty answer is `null`.
    Ok(Value),
    /// The function answered, but not with JSON.
    NotJson(Vec<u8>),
    /// The function reported an error, or panicked and its runtime reported that.
    FunctionError {
        /// The type of the error, as `errorType` in the body names it.
        kind: String,
        /// The text of the error, `errorMessage` in the body.
        message: String,
        /// All that the function sent; a string when it is not JSON.
        body: Value,
    },
    /// The deadline passed without an answer and the process was killed.
    TimedOut,
    /// The process ended while it held the event.
    Exited {
        /// Its exit code, when it left by itself.
        code: Option<i32>,
        /// The signal that ended it.
        signal: Option<i32>,
    },
    /// The event is over [`PAYLOAD_LIMIT`](crate::MAX_PAYLOAD_LEN) and was not delivered.
    EventTooLarge {
        /// The size of the event as JSON.
        bytes: usize,
    },
    /// The process had ended before it took this event.
    ///
    /// Lambda would bring up another sandbox here. This library does not: start
    /// another one with [`LambdaFunction::start`](crate::LambdaFunction::start) and send the
    /// event again.
    NotRunning {
        /// The exit code with which the process had left.
        code: Option<i32>,
        /// The signal that had ended it.
        signal: Option<i32>,
    },
}

impl InvocationOutcome {
    /// The answer, if the function gave one.
    pub fn ok(self) -> Option<Value> {
        match self {
            Self::Ok(answer) => Some(answer),
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

    /// An outcome from the body of a response.
    pub(crate) fn from_response(body: &[u8]) -> Self {
        if body.is_empty() {
            return Self::Ok(Value::Null);
        }
        serde_json::from_slice(body).map_or_else(|_| Self::NotJson(body.to_vec()), Self::Ok)
    }

    /// An outcome from an error report; `header` is the type that its header names.
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

    /// What Lambda tells the caller when the answer is over the limit.
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

/// What is left of a sandbox after [`Sandbox::stop`](crate::Sandbox::stop).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct StoppedSandbox {
    /// The exit code, when the process left by itself.
    pub code: Option<i32>,
    /// The signal that ended it: 15 when it did not handle the request to leave.
    pub signal: Option<i32>,
    /// The most memory it ever held, where the system tells.
    pub peak_rss_bytes: Option<u64>,
    /// All lines it wrote to standard output and standard error.
    pub logs: Vec<String>,
}
