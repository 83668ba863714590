//! A running function that is invoked with one event at a time.

use std::{
    io,
    process::ExitStatus,
    sync::Arc,
    time::{Duration, SystemTime},
};

use serde_json::Value;
use tokio::{process::Child, sync::oneshot, task::JoinSet};

use crate::{
    MAX_PAYLOAD_LEN,
    api::{Api, Invocation},
    ids,
    log::Log,
    outcome::{InvocationOutcome, StoppedSandbox},
    process::{self, ExitInfo},
};

/// The time in which a response may still arrive after the process has ended.
const RESPONSE_GRACE_PERIOD: Duration = Duration::from_millis(100);

/// The time that a function has to exit after SIGTERM.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(2);

/// One process of a function, which Lambda keeps between invocations.
///
/// After the process has ended, by itself, at a deadline or by [`kill`](Self::kill), each
/// invocation returns [`InvocationOutcome::NotRunning`]: nothing restarts it. Dropping the
/// sandbox kills the process.
#[derive(Debug)]
pub struct Sandbox {
    api: Arc<Api>,
    log: Arc<Log>,
    pid: u32,
    timeout: Duration,
    init_duration: Duration,
    state: ProcessState,
    _background: JoinSet<()>,
}

#[derive(Debug)]
enum ProcessState {
    Running(Child),
    /// SIGKILL was sent; the process may still be alive.
    Killed(Child),
    Ended(ExitInfo),
}

impl Sandbox {
    pub(crate) fn new(
        child: Child,
        pid: u32,
        api: Arc<Api>,
        log: Arc<Log>,
        background: JoinSet<()>,
        timeout: Duration,
        init_duration: Duration,
    ) -> Self {
        let life = ProcessState::Running(child);
        Self { api, log, pid, timeout, init_duration, state: life, _background: background }
    }

    /// A read-only view of the sandbox, for use during an invocation.
    pub(crate) fn monitor(&self) -> SandboxMonitor {
        SandboxMonitor { api: self.api.clone(), log: self.log.clone() }
    }

    /// The time from the start of the process until its first poll.
    pub fn init_duration(&self) -> Duration {
        self.init_duration
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Invokes the function with one event, within the function's timeout.
    ///
    /// Dropping the future drops the response and leaves the function running. The next
    /// event waits until it is done.
    pub async fn invoke(&mut self, event: &Value) -> InvocationOutcome {
        self.invoke_with_deadline(event, self.timeout).await
    }

    /// Invokes the function with one event and this much time until its deadline.
    ///
    /// The function gets the deadline as wall-clock time. As on Lambda, the process is
    /// killed when the deadline passes without a response.
    pub async fn invoke_with_deadline(&mut self, event: &Value, remaining: Duration) -> InvocationOutcome {
        let outcome = self.run(event, remaining).await;
        self.log.forward(false);
        outcome
    }

    async fn run(&mut self, event: &Value, remaining: Duration) -> InvocationOutcome {
        let event = event.to_string().into_bytes();
        if event.len() > MAX_PAYLOAD_LEN {
            return InvocationOutcome::EventTooLarge { bytes: event.len() };
        }
        let child = match &mut self.state {
            ProcessState::Running(child) => child,
            ProcessState::Killed(child) => {
                let status = child.wait().await;
                return self.record_exit(status).to_not_running();
            }
            ProcessState::Ended(ended) => return ended.to_not_running(),
        };
        if let Ok(Some(status)) = child.try_wait() {
            return self.record_exit(Ok(status)).to_not_running();
        }

        let id = ids::request_id();
        let (response, mut answered) = oneshot::channel();
        let deadline = SystemTime::now() + remaining;
        let timer = tokio::time::sleep(remaining);
        self.api.push(Invocation { id: id.clone(), event, deadline, responder: response });
        tokio::select! {
            biased;
            Ok(outcome) = &mut answered => outcome,
            status = child.wait() => {
                let late = tokio::time::timeout(RESPONSE_GRACE_PERIOD, answered).await;
                let ended = self.record_exit(status);
                match late {
                    Ok(Ok(outcome)) => outcome,
                    _ if self.api.is_delivered(&id) => ended.to_exited(),
                    _ => ended.to_not_running(),
                }
            }
            () = timer => {
                self.api.peak_rss_bytes();
                let _ = child.start_kill();
                let status = child.wait().await;
                self.record_exit(status);
                InvocationOutcome::TimedOut
            }
        }
    }

    fn record_exit(&mut self, status: io::Result<ExitStatus>) -> ExitInfo {
        let ended = status.map_or(ExitInfo::UNKNOWN, ExitInfo::from);
        self.state = ProcessState::Ended(ended);
        self.api.clear_pid();
        self.log.forward(true);
        ended
    }

    /// Kills the process (SIGKILL), as a failing host would.
    pub fn kill(&mut self) {
        self.api.peak_rss_bytes();
        self.state = match std::mem::replace(&mut self.state, ProcessState::Ended(ExitInfo::UNKNOWN)) {
            ProcessState::Running(mut child) => {
                let _ = child.start_kill();
                ProcessState::Killed(child)
            }
            life => life,
        };
    }

    /// Stops the process with SIGTERM, then SIGKILL if it does not exit, and returns its
    /// final state.
    pub async fn stop(mut self) -> StoppedSandbox {
        let peak_rss_bytes = self.api.peak_rss_bytes();
        let ended = match &mut self.state {
            ProcessState::Ended(ended) => *ended,
            ProcessState::Running(child) | ProcessState::Killed(child) => {
                process::terminate(child);
                let status = match tokio::time::timeout(SHUTDOWN_TIMEOUT, child.wait()).await {
                    Ok(status) => status,
                    Err(_) => {
                        let _ = child.start_kill();
                        child.wait().await
                    }
                };
                self.record_exit(status)
            }
        };
        let ExitInfo { code, signal } = ended;
        StoppedSandbox { code, signal, peak_rss_bytes, logs: self.log.lines() }
    }

    /// The peak resident memory of the process in bytes, on Linux.
    ///
    /// For a process that ended by itself, this is the value at its last response.
    pub fn peak_rss_bytes(&self) -> Option<u64> {
        self.api.peak_rss_bytes()
    }

    /// The standard output and standard error of the process, in the order of its writes.
    ///
    /// Everything that it wrote before a response is included once [`invoke`](Self::invoke)
    /// returns.
    pub fn logs(&self) -> Vec<String> {
        self.log.lines()
    }
}

/// A view of a sandbox that outlives it.
#[derive(Debug)]
pub(crate) struct SandboxMonitor {
    api: Arc<Api>,
    log: Arc<Log>,
}

impl SandboxMonitor {
    /// Whether the process is not known to have ended.
    pub(crate) fn is_running(&self) -> bool {
        self.api.has_process()
    }

    pub(crate) fn peak_rss_bytes(&self) -> Option<u64> {
        self.api.peak_rss_bytes()
    }

    pub(crate) fn logs(&self) -> Vec<String> {
        self.log.lines()
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        // Dropping the child reaps it, now or later.
        self.api.clear_pid();
        self.log.forward(true);
    }
}
