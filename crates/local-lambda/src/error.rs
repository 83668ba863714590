//! Why a sandbox did not come up.

use std::{io, path::PathBuf, time::Duration};

/// A function that did not get as far as asking for its first event.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The binary could not be run; most often it has not been built.
    #[error("cannot run the function binary {}: {source} (has it been built?)", path.display())]
    Spawn {
        /// The path that was tried.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The Runtime API itself could not be set up on loopback.
    #[error("cannot set up the local Runtime API: {0}")]
    Setup(#[source] io::Error),
    /// The function reported an error of its own initialisation.
    #[error("the function reported that it cannot start: {kind}: {message}{}", log_tail(logs))]
    Init {
        /// The type of the error.
        kind: String,
        /// The text of the error.
        message: String,
        /// What the process had written.
        logs: Vec<String>,
    },
    /// The process ended before it asked for work.
    #[error("the function ended before it asked for work ({}){}", exit_description(*code, *signal), log_tail(logs))]
    Exited {
        /// The exit code, when it left by itself.
        code: Option<i32>,
        /// The signal that ended it.
        signal: Option<i32>,
        /// What the process had written.
        logs: Vec<String>,
    },
    /// The process neither asked for work nor ended in the time allowed.
    #[error("the function did not ask for work within {after:?}{}", log_tail(logs))]
    TimedOut {
        /// The time allowed.
        after: Duration,
        /// What the process had written.
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

/// The last lines of the log, which in most cases say what was wrong.
fn log_tail(logs: &[String]) -> String {
    const LINES: usize = 5;
    if logs.is_empty() {
        return "; it wrote nothing".to_owned();
    }
    let last = &logs[logs.len().saturating_sub(LINES)..];
    format!("; its last lines:\n{}", last.join("\n"))
}
