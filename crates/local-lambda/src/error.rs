//! Errors of the start of a sandbox.

use std::{io, path::PathBuf, time::Duration};

/// The error of a function that did not reach its first poll.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The binary could not be started. Usually it has not been built.
    #[error("starting the function binary {} failed: {source}; build it first", path.display())]
    Spawn {
        /// The path of the binary.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The Runtime API could not listen on loopback.
    #[error("starting the local Runtime API failed: {0}")]
    Setup(#[source] io::Error),
    /// The function reported an initialization error.
    #[error("the function failed to initialize: {kind}: {message}{}", log_tail(logs))]
    Init {
        /// The type of the error.
        kind: String,
        /// The message of the error.
        message: String,
        /// The lines that the process wrote.
        logs: Vec<String>,
    },
    /// The process ended before its first poll.
    #[error("the function exited before its first poll ({}){}", exit_description(*code, *signal), log_tail(logs))]
    Exited {
        /// The exit code, if the process exited by itself.
        code: Option<i32>,
        /// The signal that ended the process.
        signal: Option<i32>,
        /// The lines that the process wrote.
        logs: Vec<String>,
    },
    /// The process neither polled nor ended within the timeout.
    #[error("the function did not poll within {after:?}{}", log_tail(logs))]
    TimedOut {
        /// The timeout.
        after: Duration,
        /// The lines that the process wrote.
        logs: Vec<String>,
    },
}

impl StartError {
    /// The lines that the process wrote before it failed.
    pub fn logs(&self) -> &[String] {
        match self {
            Self::Init { logs, .. } | Self::Exited { logs, .. } | Self::TimedOut { logs, .. } => logs,
            Self::Spawn { .. } | Self::Setup(_) => &[],
        }
    }
}

fn exit_description(code: Option<i32>, signal: Option<i32>) -> String {
    match (code, signal) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => "no exit code".to_owned(),
    }
}

/// The last lines of the log, which usually contain the cause.
fn log_tail(logs: &[String]) -> String {
    const LINES: usize = 5;
    if logs.is_empty() {
        return "; it has no output".to_owned();
    }
    let last = &logs[logs.len().saturating_sub(LINES)..];
    format!("; its last lines:\n{}", last.join("\n"))
}
