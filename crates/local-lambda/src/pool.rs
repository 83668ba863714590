//! Several sandboxes of one function.

use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde_json::Value;
use tokio::sync::{Semaphore, watch};

use crate::{
    InvocationOutcome, LambdaFunction, Sandbox, StartError, StoppedSandbox, sandbox::SandboxMonitor,
};

/// The maximum number of sandboxes for one event. The pool tries another one if the sandbox
/// ended before it received the event.
const MAX_ATTEMPTS: usize = 3;

/// Sandboxes of one function, each with one event at a time.
///
/// The pool starts the first with itself, and another when all are busy. It replaces an ended
/// sandbox before the next event. Dropping the pool kills all processes.
#[derive(Debug)]
pub struct Pool {
    inner: Arc<PoolInner>,
}

#[derive(Debug)]
struct PoolInner {
    function: LambdaFunction,
    limit: u32,
    permits: Semaphore,
    state: Mutex<PoolState>,
}

#[derive(Debug, Default)]
struct PoolState {
    closed: bool,
    idle: Vec<PooledSandbox>,
    sandboxes: Vec<SandboxEntry>,
    ended: Vec<StoppedSandbox>,
}

/// A sandbox in use, with the signal that it was killed.
#[derive(Debug)]
struct PooledSandbox {
    sandbox: Sandbox,
    killed: watch::Receiver<bool>,
}

/// The pool's record of a sandbox, during its use and afterwards.
#[derive(Debug)]
struct SandboxEntry {
    pid: u32,
    busy: bool,
    killed: watch::Sender<bool>,
    records: SandboxMonitor,
}

impl SandboxEntry {
    fn is_alive(&self) -> bool {
        !*self.killed.borrow() && self.records.is_running()
    }
}

impl Pool {
    /// Starts the first of at most `sandboxes` sandboxes (at least one).
    ///
    /// # Errors
    /// When the function does not start.
    pub async fn start(function: LambdaFunction, sandboxes: usize) -> Result<Self, StartError> {
        let limit = u32::try_from(sandboxes.max(1)).unwrap_or(u32::MAX).min(Semaphore::MAX_PERMITS as u32);
        let permits = Semaphore::new(limit as usize);
        let inner = Arc::new(PoolInner { function, limit, permits, state: Mutex::default() });
        let seat = inner.start_sandbox().await?;
        inner.release(seat);
        Ok(Self { inner })
    }

    /// Invokes a free sandbox with one event, or waits for one, and returns the outcome.
    ///
    /// Dropping the future leaves the function running, as a caller that disconnects does.
    ///
    /// # Errors
    /// When a new sandbox does not start.
    pub async fn invoke(&self, event: &Value) -> Result<InvocationOutcome, StartError> {
        let (inner, event) = (self.inner.clone(), event.clone());
        let task = tokio::spawn(async move { inner.invoke(&event).await });
        task.await.unwrap_or_else(|error| Err(StartError::Setup(io::Error::other(error))))
    }

    /// The running processes, in the order of their starts.
    pub fn pids(&self) -> Vec<u32> {
        let state = self.inner.state();
        state.sandboxes.iter().filter(|member| member.is_alive()).map(|member| member.pid).collect()
    }

    /// Kills a process (SIGKILL), also during an invocation. Returns `false` if the pool
    /// has no such process.
    pub fn kill(&self, pid: u32) -> bool {
        self.inner
            .kill(|members| members.iter().position(|member| member.pid == pid && member.is_alive()))
            .is_some()
    }

    /// Kills one process, a busy one if possible, and returns its id.
    pub fn kill_one(&self) -> Option<u32> {
        self.inner.kill(|members| {
            let alive = |busy| members.iter().position(|member| member.is_alive() && member.busy == busy);
            alive(true).or_else(|| alive(false))
        })
    }

    /// The output of all processes, including ended ones, process by process in the order
    /// of their starts.
    pub fn logs(&self) -> Vec<String> {
        self.inner.state().sandboxes.iter().flat_map(|member| member.records.logs()).collect()
    }

    /// The peak resident memory of any one process in bytes, on Linux.
    pub fn peak_rss_bytes(&self) -> Option<u64> {
        self.inner.state().sandboxes.iter().filter_map(|member| member.records.peak_rss_bytes()).max()
    }

    /// Waits for the invocations in progress, stops every process, and returns the final
    /// state of each, including ended ones. The pool accepts no more events.
    pub async fn stop(&self) -> Vec<StoppedSandbox> {
        self.inner.stop().await
    }

    /// Kills all processes, even if other handles of the pool exist.
    pub(crate) fn close(&self) {
        self.inner.permits.close();
        let mut state = self.inner.state();
        state.closed = true;
        state.idle.clear();
        for member in &state.sandboxes {
            member.killed.send_replace(true);
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.close();
    }
}

impl PoolInner {
    fn state(&self) -> MutexGuard<'_, PoolState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn invoke(&self, event: &Value) -> Result<InvocationOutcome, StartError> {
        let mut outcome = InvocationOutcome::NotRunning { code: None, signal: None };
        let Ok(_permit) = self.permits.acquire().await else {
            return Ok(outcome);
        };
        for _ in 0..MAX_ATTEMPTS {
            let mut seat = self.acquire().await?;
            outcome = seat.invoke(event).await;
            if !matches!(outcome, InvocationOutcome::NotRunning { .. }) {
                self.release(seat);
                break;
            }
            let stopped = seat.sandbox.stop().await;
            self.state().ended.push(stopped);
        }
        Ok(outcome)
    }

    /// The most recently used sandbox, or a new one.
    async fn acquire(&self) -> Result<PooledSandbox, StartError> {
        let idle = {
            let mut state = self.state();
            let seat = state.idle.pop();
            if let Some(seat) = &seat {
                state.set_busy(seat.sandbox.pid(), true);
            }
            seat
        };
        match idle {
            Some(seat) => Ok(seat),
            None => self.start_sandbox().await,
        }
    }

    async fn start_sandbox(&self) -> Result<PooledSandbox, StartError> {
        let sandbox = self.function.clone().start().await?;
        let (killed, is_killed) = watch::channel(false);
        let member = SandboxEntry { pid: sandbox.pid(), busy: true, killed, records: sandbox.monitor() };
        self.state().sandboxes.push(member);
        Ok(PooledSandbox { sandbox, killed: is_killed })
    }

    fn release(&self, mut seat: PooledSandbox) {
        let mut state = self.state();
        state.set_busy(seat.sandbox.pid(), false);
        // Read under the lock, so that a kill takes effect either here or during the
        // invocation.
        if *seat.killed.borrow() {
            seat.sandbox.kill();
        }
        if !state.closed {
            state.idle.push(seat);
        }
    }

    fn kill(&self, choose: impl FnOnce(&[SandboxEntry]) -> Option<usize>) -> Option<u32> {
        let mut state = self.state();
        let member = choose(&state.sandboxes)?;
        let member = state.sandboxes.get(member)?;
        let pid = member.pid;
        member.killed.send_replace(true);
        if let Some(seat) = state.idle.iter_mut().find(|seat| seat.sandbox.pid() == pid) {
            seat.sandbox.kill();
        }
        Some(pid)
    }

    async fn stop(&self) -> Vec<StoppedSandbox> {
        // Fails only if the pool is closed; then no invocation is in progress.
        let all = self.permits.acquire_many(self.limit).await;
        self.permits.close();
        drop(all);
        let (seats, mut stopped) = {
            let mut state = self.state();
            state.closed = true;
            (std::mem::take(&mut state.idle), std::mem::take(&mut state.ended))
        };
        for seat in seats {
            stopped.push(seat.sandbox.stop().await);
        }
        stopped
    }
}

impl PoolState {
    /// Sets the state of the last entry with this id: the system may reuse ids.
    fn set_busy(&mut self, pid: u32, busy: bool) {
        if let Some(member) = self.sandboxes.iter_mut().rfind(|member| member.pid == pid) {
            member.busy = busy;
        }
    }
}

impl PooledSandbox {
    async fn invoke(&mut self, event: &Value) -> InvocationOutcome {
        let Self { sandbox, killed } = self;
        if *killed.borrow() {
            sandbox.kill();
            return sandbox.invoke(event).await;
        }
        tokio::select! {
            biased;
            outcome = sandbox.invoke(event) => return outcome,
            _ = killed.wait_for(|killed| *killed) => {}
        }
        sandbox.kill();
        InvocationOutcome::Exited { code: None, signal: Some(9) }
    }
}
